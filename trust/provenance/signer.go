package provenance

import (
	"regexp"
	"strings"
)

// atRef is the revision at the end of the URI of a workflow: a ref of Git, or a
// commit.
var atRef = regexp.MustCompile(`@(?:refs/.*|[0-9a-f]{40}|[0-9a-f]{64})$`)

// ID is equal for two signers exactly if they count as one where a threshold asks
// for several. A key is itself, under whatever name or encoding it came. With a
// certificate it is the issuer and the identity, parted by a space.
//
// An identity that is the URI of a workflow (…/.github/workflows/build.yml@refs/heads/main,
// as GitHub, GitLab and others write it) is taken without its revision: whoever
// can push to a repository can make branches and tags as he likes, and would
// otherwise be as many signers as a threshold asks for. Two workflows of one
// repository are two signers, as a policy may name them on purpose.
func (s Signer) ID() string {
	if s.Key != "" {
		return s.Key
	}
	identity := s.Identity
	if strings.Contains(identity, "://") {
		if at := atRef.FindStringIndex(identity); at != nil {
			identity = identity[:at[0]]
		}
	}
	return s.Issuer + " " + identity
}

// String names the signer for people, as Identity.String names whom it is
// compared with.
func (s Signer) String() string {
	switch {
	case s.Key != "":
		return "key " + s.Key
	case s.Issuer == "":
		return s.Identity
	}
	return s.Identity + " by " + s.Issuer
}
