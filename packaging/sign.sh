#!/bin/sh
# Signs one file with cosign, into a Sigstore bundle:
#
#     sh packaging/sign.sh FILE BUNDLE
#
# ASSAY_SIGN_KEY      a key, as cosign takes it: a file, or the URL of a key management
#                     service. Its passphrase is cosign's COSIGN_PASSWORD.
# ASSAY_SIGN_KEYLESS  1: by the identity that the machine has (OpenID Connect), in the
#                     transparency log.
# Neither, or both: nothing is signed, and this fails.
set -eu
file=$1 bundle=$2
case "${ASSAY_SIGN_KEY:+key}${ASSAY_SIGN_KEYLESS:+keyless}" in
key) set -- --key "$ASSAY_SIGN_KEY" ;;
keyless) set -- ;;
*)
	echo "sign: expected one of ASSAY_SIGN_KEY and ASSAY_SIGN_KEYLESS to be set, found neither or both" >&2
	exit 2
	;;
esac
cosign sign-blob --yes "$@" --bundle "$bundle" "$file"
