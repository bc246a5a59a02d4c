import { gzipSync } from "node:zlib";

/** EC2 User Guide, "Run commands when you launch an EC2 instance with user data input": before base64. */
export const USER_DATA = { cloud: "AWS", bytes: 16_384, form: "compressed user data", pack: compressed };

/**
 * A text as cloud-init takes it, too: it unpacks what is gzip (cloud-init, "User-data formats"; cloudinit/user_data.py,
 * convert_string). Another zlib may make other bytes of the same text.
 */
export function compressed(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}
