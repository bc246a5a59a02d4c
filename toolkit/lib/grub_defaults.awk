# /etc/default/grub (input, with an x after its last byte) without timebase's block, and with the block in TIMEBASE_BLOCK
# at its end, if there is one. Words in TIMEBASE_WORDS are taken out of the assignments to GRUB_CMDLINE_LINUX*. All other
# bytes stay as they are. The block's first line tells what had to be put before it, so that it can go again:
#   whole      nothing: the file ended with a newline, or was empty
#   newline    the newline that the last line lacked
#   backslash  the same for a line that ended with a backslash, which a newline alone would make a continuation
#   blank      an empty line, which ends a continuation that nothing followed

{ line[NR] = $0 }

END {
  sub(/x$/, "", line[NR])
  words = split(ENVIRON["TIMEBASE_WORDS"], word, " ")
  for (i = 1; i <= NR; i++) {
    if (line[i] ~ /^# timebase begin [(][a-z]+[)]: /) {
      kind = line[i]
      gsub(/^[^(]*[(]|[)].*/, "", kind)
      while (i < NR && line[i + 1] ~ /^  GRUB_CMDLINE_LINUX[A-Z_]*=/) i++
      if (i < NR && line[i + 1] == "# timebase end") i++
      if (i == NR - 1 && line[NR] == "") { end_of_block(kind); break }
      continue
    }
    if (line[i] ~ /^GRUB_CMDLINE_LINUX[A-Z_]*=/) for (w = 1; w <= words; w++) line[i] = without(line[i], word[w])
    kept[++count] = line[i]
  }
  for (i = 1; i <= count; i++) text = text (i > 1 ? "\n" : "") kept[i]
  if (ENVIRON["TIMEBASE_BLOCK"] != "") text = text with_block(ENVIRON["TIMEBASE_BLOCK"])
  printf "%s", text
}

# What was put before a block at the end goes with it. In the middle it stays: somebody has written after it.
function end_of_block(kind) {
  if (kind == "whole") kept[++count] = ""
  if (kind == "backslash") sub(/\\$/, "", kept[count])
}

function with_block(block, kind, before) {
  kind = "whole"
  if (text != "" && kept[count] != "") {
    kind = continues(kept[count]) ? "backslash" : "newline"
    before = kind == "backslash" ? "\\\n" : "\n"
  } else if (count > 1 && continues(kept[count - 1])) {
    kind = "blank"
    before = "\n"
  }
  sub(/^# timebase begin/, "# timebase begin (" kind ")", block)
  return before block "\n"
}

function continues(line) {
  match(line, /\\*$/)
  return RLENGTH % 2
}

function without(line, word, start, at, before, after) {
  for (start = 1; at = index(substr(line, start), word); start = at + 1) {
    at += start - 1
    before = substr(line, at - 1, 1)
    after = substr(line, at + length(word), 1)
    if (before ~ /[ \t"\047=]/ && after ~ /^[ \t"\047]?$/) {
      line = substr(line, 1, at - 1 - (before ~ /[ \t]/)) substr(line, at + length(word))
      at--
    }
  }
  return line
}
