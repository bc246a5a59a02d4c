# Kernel parameters at the end of a command line, which is the lines that begin with key (every line, if key is empty)
# taken together. Input: the text, with an x after its last byte.
#   verb add     appends each parameter
#   verb remove  takes out the last ones of each parameter that the file was, the text before us, had not
# All other bytes stay as they are.

{ line[NR] = $0 }

END {
  sub(/x$/, "", line[NR])
  lines = NR
  while ((getline text < was) > 0) if (ours(text)) { before = before " " text; had++ }
  for (i = 1; i <= lines; i++) if (ours(line[i])) { all = all " " line[i]; last = i }
  wanted = split(parameters, parameter, " ")
  for (p = 1; p <= wanted; p++) {
    if (verb == "add") add(parameter[p])
    else for (times = count(all, parameter[p]) - count(before, parameter[p]); times > 0; times--) remove(parameter[p])
  }
  for (i = 1; i <= lines; i++) printf "%s%s", (i > 1 ? "\n" : ""), line[i]
}

function ours(text) { return key == "" ? text ~ /[^ \t]/ : text ~ ("^" key "([ \t]|$)") }

# Where there is no such line yet, it is made: at the end.
function add(word) {
  if (!last) {
    last = line[lines] == "" ? lines : lines + 1
    if (last == lines) line[lines + 1] = ""
    line[last] = key
    lines++
  }
  line[last] = line[last] (line[last] == "" ? "" : " ") word
}

# remove(WORD): the last one, with the blank before it; and the line, when it was made for ours and nothing is left in it.
function remove(word, i, text, at, next_at) {
  for (i = lines; i >= 1; i--) {
    if (!ours(line[i])) continue
    text = " " line[i] " "
    gsub(/\t/, " ", text)
    at = 0
    while (next_at = index(substr(text, at + 1), " " word " ")) at += next_at
    if (!at) continue
    line[i] = substr(line[i], 1, at - 2) substr(line[i], at + length(word))
    if (!had && line[i] == key) {
      for (lines--; i <= lines; i++) line[i] = line[i + 1]
    }
    return
  }
}

function count(text, parameter, n, f, word, found) {
  n = split(text, word, /[ \t]+/)
  for (f = 1; f <= n; f++) found += word[f] == parameter
  return found + 0
}
