package provenance

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"assay/artifact"
)

func pattern(t testing.TB, text string) Pattern {
	t.Helper()
	if text == "" {
		return Pattern{}
	}
	p, err := ParsePattern(text)
	must(t, err)
	return p
}

func TestIdentityCheck(t *testing.T) {
	t.Parallel()
	key := "sha256:" + strings.Repeat("ab", 32)
	const issuer, subject = "https://token.actions.githubusercontent.com", "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/v*"
	for name, test := range map[string]struct {
		issuer, subject, key string
		want                 error
	}{
		"issuer and subject":         {issuer, subject, "", nil},
		"an issuer's paths":          {"https://gitlab.acme.example/*", subject, "", nil},
		"everybody of a host":        {issuer, "https://github.com/*/*/.github/workflows/release.yml@refs/tags/**", "", nil},
		"everybody of a company":     {issuer, "*@acme.example", "", nil},
		"some of a company":          {issuer, "release-?+*@mail.acme.example", "", nil},
		"SPIFFE of one":              {issuer, "spiffe://acme.example/**", "", nil},
		"host with a port":           {"https://acme.example:8443/*", subject, "", nil},
		"expression":                 {issuer, "/https://github\\.com/acme/.+/", "", nil},
		"key":                        {"", "", key, nil},
		"a name that nobody has":     {"https://issuer.invalid", subject, "", nil},
		"nothing":                    {"", "", "", ErrIdentity},
		"no issuer":                  {"", subject, "", ErrIdentity},
		"no subject":                 {issuer, "", "", ErrIdentity},
		"key and subject":            {"", subject, key, ErrIdentity},
		"key and issuer":             {issuer, "", key, ErrIdentity},
		"key that is no digest":      {"", "", "abc", ErrIdentity},
		"key by sha512":              {"", "", "sha512:" + strings.Repeat("ab", 64), ErrIdentity},
		"every issuer":               {"*", subject, "", ErrPattern},
		"every issuer and path":      {"**", subject, "", ErrPattern},
		"every issuer by expression": {"/.*/", subject, "", ErrPattern},
		"every issuer of https":      {"https://*", subject, "", ErrPattern},
		"every path of https":        {"https://**", subject, "", ErrPattern},
		"every subject":              {issuer, "**", "", ErrPattern},
		"every subject, expression":  {issuer, "/(?s).+/", "", ErrPattern},
		"every address":              {issuer, "*@*", "", ErrPattern},
		"every repository's":         {issuer, "https://**/.github/workflows/*.yml@refs/heads/*", "", ErrPattern},
		"every character":            {issuer, "?", "", ErrPattern},
		"SPIFFE of all":              {issuer, "spiffe://**", "", ErrPattern},
		"every ref":                  {issuer, "**@refs/tags/*", "", ErrPattern},
		"every host":                 {issuer, "https://**/.github/workflows/*@refs/tags/**", "", ErrPattern},
		"every host of a domain":     {issuer, "https://*.com/**", "", ErrPattern},
		"half a host":                {issuer, "https://github.com*/acme/**", "", ErrPattern},
		"a letter of the host":       {issuer, "https://github.c?m/acme/*", "", ErrPattern},
		"a user before the host":     {issuer, "https://github.com@*/acme", "", ErrPattern},
		"no host":                    {issuer, "https:///acme/*", "", ErrPattern},
		"every scheme":               {issuer, "*://github.com/acme/*", "", ErrPattern},
		"no scheme":                  {issuer, "://github.com/acme/*", "", ErrPattern},
		"two stars first":            {issuer, "**://github.com/acme/*", "", ErrPattern},
		"slashes by a star":          {issuer, "https:/*/github.com/**", "", ErrPattern},
		"paths before the domain":    {issuer, "?**@acme.example", "", ErrPattern},
		"a slash before the domain":  {issuer, "*/*@acme.example", "", ErrPattern},
		"every domain":               {issuer, "mallory@*", "", ErrPattern},
		"every domain of com":        {issuer, "**@**.com", "", ErrPattern},
		"every subdomain":            {issuer, "dev@*.acme.example", "", ErrPattern},
		"a domain of the top":        {issuer, "*@com", "", ErrPattern},
		"an empty label":             {issuer, "*@acme..example", "", ErrPattern},
		"no domain":                  {issuer, "*@", "", ErrPattern},
		"a domain with a path":       {issuer, "*@acme.example/x", "", ErrPattern},
		"a name that is none":        {issuer, "acme*", "", ErrPattern},
		"every issuer's host":        {"https://*.com", subject, "", ErrPattern},
		"every issuer's host, **":    {"https://**.com", subject, "", ErrPattern},
		"issuer by subdomain":        {"https://*.acme.example", subject, "", ErrPattern},
		"issuer that is an address":  {"*@acme.example", subject, "", ErrPattern},
		"issuer without a host":      {"acme*", subject, "", ErrPattern},
		"expression of nothing":      {issuer, "/x?/", "", ErrPattern},
		"expression of every URL":    {issuer, "/https://[a-z.]+\\.example/.*/", "", ErrPattern},
		"expression of every user":   {issuer, "/[a-z]+@[a-z.]+\\.example/", "", ErrPattern},
		"expression of every tag":    {issuer, "/https://.+@refs/tags/.+/", "", ErrPattern},
		"issuer by expression":       {"/https://.*\\.example.*/", subject, "", ErrPattern},
	} {
		id := Identity{Issuer: pattern(t, test.issuer), Subject: pattern(t, test.subject), Key: test.key}
		if err := id.Check(); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
		says := map[string]string{"nothing": "or a key, found nothing", "no issuer": "expected an issuer beside", "no subject": "expected an identity beside"}
		if !strings.Contains(fmt.Sprint(id.Check()), says[name]) {
			t.Errorf("%s: expected %q, found %v", name, says[name], id.Check())
		}
		if test.key == "abc" && !errors.Is(id.Check(), artifact.ErrDigest) {
			t.Errorf("found %v", id.Check())
		}
		if test.want != nil && id.Matches(&Signed{Signer: Signer{Issuer: issuer, Identity: "x", Key: ""}}) {
			t.Errorf("%s: an unusable identity matches", name)
		}
	}
}

func TestIdentityMatches(t *testing.T) {
	t.Parallel()
	key := "sha256:" + strings.Repeat("ab", 32)
	signed := &Signed{Profile: "public", Signer: Signer{Issuer: "https://issuer.example", Identity: "https://github.com/acme/tool/w.yml@refs/tags/v1"}}
	byKey := &Signed{Profile: "ours", Signer: Signer{Key: key}}
	exact := Identity{Issuer: pattern(t, signed.Signer.Issuer), Subject: pattern(t, signed.Signer.Identity)}
	with := func(change func(*Identity)) Identity {
		id := exact
		change(&id)
		return id
	}
	for name, test := range map[string]struct {
		id   Identity
		s    *Signed
		want bool
	}{
		"exact":              {exact, signed, true},
		"in its profile":     {with(func(id *Identity) { id.Profile = "public" }), signed, true},
		"in another profile": {with(func(id *Identity) { id.Profile = "github" }), signed, false},
		"another issuer":     {with(func(id *Identity) { id.Issuer = pattern(t, "https://issuer.example.evil") }), signed, false},
		"another subject":    {with(func(id *Identity) { id.Subject = pattern(t, "https://github.com/acme/tool") }), signed, false},
		"glob":               {with(func(id *Identity) { id.Subject = pattern(t, "https://github.com/acme/tool/*@refs/tags/*") }), signed, true},
		"look-alike": {with(func(id *Identity) { id.Subject = pattern(t, "/https://github.com/acme/tool/") }),
			&Signed{Signer: Signer{Issuer: signed.Signer.Issuer, Identity: "https://github.com/acme/tool-evil/w.yml"}}, false},
		"key":                      {Identity{Key: key}, byKey, true},
		"key in upper case":        {Identity{Key: "sha256:" + strings.Repeat("AB", 32)}, byKey, true},
		"key in another profile":   {Identity{Key: key, Profile: "public"}, byKey, false},
		"another key":              {Identity{Key: "sha256:" + strings.Repeat("ac", 32)}, byKey, false},
		"key against certificate":  {Identity{Key: key}, signed, false},
		"certificate against key":  {exact, byKey, false},
		"identity beside a key":    {exact, &Signed{Signer: Signer{Issuer: signed.Signer.Issuer, Identity: signed.Signer.Identity, Key: key}}, false},
		"key beside an issuer":     {with(func(id *Identity) { id.Key = key }), byKey, false},
		"key that is no digest":    {Identity{Key: "abc"}, &Signed{Signer: Signer{Key: "abc"}}, false},
		"everybody of an issuer":   {with(func(id *Identity) { id.Subject = pattern(t, "**") }), signed, false},
		"everybody's issuer":       {with(func(id *Identity) { id.Issuer = pattern(t, "https://*") }), signed, false},
		"nothing that was signed":  {exact, nil, false},
		"nobody against a signer":  {Identity{}, signed, false},
		"nobody against nobody":    {Identity{}, &Signed{}, false},
		"certificate without name": {exact, &Signed{}, false},
	} {
		if found := test.id.Matches(test.s); found != test.want {
			t.Errorf("%s: expected %v, found %v", name, test.want, found)
		}
	}
	if got := fmt.Sprint(with(func(id *Identity) { id.Profile = "public" })); got != signed.Signer.Identity+" by https://issuer.example (profile public)" {
		t.Errorf("found %s", got)
	}
	if got := (Identity{Key: key}).String(); got != "key "+key {
		t.Errorf("found %s", got)
	}
}

func TestSignerID(t *testing.T) {
	t.Parallel()
	const issuer = "https://token.actions.githubusercontent.com"
	workflow := "https://github.com/acme/tool/.github/workflows/release.yml"
	for identity, want := range map[string]string{
		workflow + "@refs/tags/v1":                               workflow,
		workflow + "@refs/heads/a@refs/tags/b":                   workflow,
		workflow + "@" + strings.Repeat("0a", 20):                workflow,
		workflow + "@" + strings.Repeat("0a", 32):                workflow,
		workflow + "@v1":                                         workflow + "@v1",
		"https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/main": "https://gitlab.com/a/b//.gitlab-ci.yml",
		"dev@acme.example":                                       "dev@acme.example",
		"dev@refs/heads":                                         "dev@refs/heads",
		"spiffe://acme.example/ci":                               "spiffe://acme.example/ci",
	} {
		if found := (Signer{Issuer: issuer, Identity: identity}).ID(); found != issuer+" "+want {
			t.Errorf("%s: expected %s, found %s", identity, want, found)
		}
	}
	if found := (Signer{Key: "sha256:00"}).ID(); found != "sha256:00" {
		t.Errorf("found %s", found)
	}
}
