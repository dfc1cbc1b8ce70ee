// Package detached verifies signatures that lie beside a file: minisign, OpenPGP
// and SSH, for sources that have nothing better. Each of them names a key and
// nothing more: no log has seen the signature, and no one but the key's owner
// vouches for its time.
//
// ParseSignature reads a signature file (tool.minisig, tool.asc, tool.sig),
// ParseKeys a file of public keys, and Verify reads the content once and says
// which key signed it.
//
// What is refused beyond a wrong signature:
//
//   - OpenPGP: keys that are revoked or expired now, whatever time the signature
//     claims, for any reason of revocation and in any copy of the key that was
//     given; signatures that are expired or from the future, over text instead of
//     bytes, with an unknown critical notation; SHA-1, MD5 and RIPEMD-160, in the
//     self-signatures of keys too; RSA below 2048 bits, DSA, ElGamal and secp256k1;
//     keys that are not marked for signatures. Revocations by another key
//     (designated revokers) are not known.
//   - SSH: another namespace than the expected one; certificates and
//     certification authorities; DSA, and RSA below 2048 bits; keys outside the
//     times and namespaces that a line of allowed_signers gives. Keys on a
//     security token (sk-…) are taken, if the token says that somebody touched
//     it.
//   - minisign: a trusted comment whose signature is wrong. In the older form,
//     which does not hash the content first, the whole content must be held in
//     memory: more than MaxLegacy bytes are refused.
//
// Guarantees: a Signer is returned only for a key that was given, and only after
// the last byte of the content was read; its texts have no control characters
// but tabs. Signatures, keys and their number are bounded before a library sees
// them, and a panic of a library becomes an error. A Signature and a Key can be
// used by several goroutines.
//
// Not guaranteed: that the file is what somebody asked for. A signature binds
// bytes, not a name, a version or a platform, and an old file with its signature
// verifies forever.
//
// Errors: ErrTooLarge for what is beyond the bounds, ErrFormat for a file that is
// no signature of a known form, ErrKey for keys that can't be read, can't be used
// or did not make the signature, ErrSignature for a signature that is wrong. An
// error of reading the content is none of them and is passed on.
package detached
