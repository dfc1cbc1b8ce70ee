package config

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/trust/policy"
	"assay/trust/provenance"
)

const (
	rule = "[[policy]]\nrequire = ['sbom']\n"
	key  = "key = 'sha256:" + digest + "'"
)

// The two examples of the reference in docs/policy.md, behind its recipes, are what
// they look like.
func TestDocumentedPolicy(t *testing.T) {
	data, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	_, reference, _ := strings.Cut(string(data), "\n## All keys")
	for i, part := range strings.Split(reference, "```") {
		if text, ok := strings.CutPrefix(part, "toml\n"); i%2 == 1 && ok {
			examples = append(examples, text)
		}
	}
	if len(examples) != 2 || !strings.HasPrefix(examples[1], "# project") {
		t.Fatalf("expected an example for users and one for projects, found %d", len(examples))
	}
	dir, options := tree(t, map[string]string{"home/assay/config.toml": examples[0], "work/assay.toml": examples[1]})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Policy()
	if err != nil || p.Digest().IsZero() {
		t.Fatalf("expected a policy, found %v", err)
	}
	if len(c.Rules) != 5 || len(c.Builders) != 1 || len(c.Profiles) != 3 || len(c.Advisories) != 2 {
		t.Errorf("found %d rules, %d builders, %d profiles, %d advisories", len(c.Rules), len(c.Builders), len(c.Profiles), len(c.Advisories))
	}
	for _, want := range []struct {
		repository, product, channel string
		rules                        int
	}{{"acme", "hello", "stable", 4}, {"acme", "hello", "nightly", 3}, {"other", "compiler", "stable", 3}, {"other", "", "", 2}} {
		if got := len(p.Match(want.repository, want.product, want.channel)); got != want.rules {
			t.Errorf("%+v: found %d", want, got)
		}
	}
	for key, want := range map[string]string{
		"policy.1.repository":                  "acme",
		"policy.1.threshold":                   "2",
		"policy.2.slsa_level":                  "3",
		"policy.3.min_age":                     "3d",
		"policy.3.components.deny":             "log4j-core@<2.17.1, pkg:npm/left-pad",
		"policy.4.rebuilders.need":             "2",
		"policy.5.licenses.allow":              "MIT, Apache-2.0, BSD-3-Clause",
		"builders.1.level":                     "3",
		"profiles.public-good.target":          "trusted_root.json",
		"profiles.acme-key.keys":               filepath.Join(dir, "home/assay/acme.pem"),
		"profiles.ours.thresholds.scts":        "1",
		"repositories.acme.profiles":           "ours",
		"advisories.1.file":                    filepath.Join(dir, "home/assay/osv.json"),
		"advisories.2.target":                  "advisories/vex.json",
		"profiles.ours.trusted_root":           filepath.Join(dir, "home/assay/ours.trusted_root.json"),
		"policy.3.advisories":                  "deny",
		"policy.3.statuses":                    "current, superseded",
		"policy.2.ref":                         "refs/tags/v*",
		"profiles.ours.kind":                   "private",
		"profiles.ours.thresholds.log_entries": "1",
	} {
		if got := value(t, c, key); got.Value != want || got.Origin.Line == 0 {
			t.Errorf("%s: expected %s, found %+v", key, want, got)
		}
	}
}

// Each line is known, those of defaults and inline tables, too.
func TestOriginsOfRules(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml":    "locked = ['policy', 'profiles.k']\n" + rule + "[profiles.k]\nkind = 'key'\nkeys = ['k.pem']\n",
		"etc/conf.d/10.toml": "# more\npolicy = [{require = ['sbom']},\n {licenses = {deny = ['X'], allow = ['Y']}}]\n",
	})
	// The same again is fine, wherever it stands.
	if err := os.WriteFile(filepath.Join(dir, "home/assay/config.toml"), []byte("[profiles.k]\nkeys = ['"+dir+"/etc/k.pem']\nkind = 'key'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"policy.1.require":        "sbom etc/config.toml:3 true",
		"policy.2.require":        "sbom etc/conf.d/10.toml:2 true",
		"policy.3.licenses.allow": "Y etc/conf.d/10.toml:3 true",
		"policy.3.licenses.deny":  "X etc/conf.d/10.toml:3 true",
		"profiles.k.kind":         "key etc/config.toml:5 true",
	} {
		v := value(t, c, key)
		rel, err := filepath.Rel(dir, v.Origin.String())
		if got := v.Value + " " + rel + map[bool]string{true: " true"}[v.Locked]; err != nil || got != want {
			t.Errorf("%s: expected %s, found %s", key, want, got)
		}
	}
	if got := c.Rules[2].OriginOf("threshold"); !strings.HasSuffix(got.String(), "10.toml:3") {
		t.Errorf("expected a default to stand where the rule does, found %s", got)
	}
}

func TestProofsThatCannotBe(t *testing.T) {
	const home, project, system = "home/assay/config.toml", "work/assay.toml", "etc/config.toml"
	const profile = "[profiles.p]\nkind = 'key'\nkeys = ['a.pem']\n"
	for name, test := range map[string]struct {
		file, text string
		kind       error
		says       []string
	}{
		"a misspelt key":             {home, rule + "treshold = 1\n", ErrUnknown, []string{"config.toml:3", `"policy.threshold"`}},
		"misspelt, inline":           {home, "[[policy]]\nlicenses = {alow = ['MIT']}\n", ErrUnknown, []string{"config.toml:2", "allow"}},
		"misspelt in a signer":       {home, "[[policy]]\nsigners = [{isuer = 'x'}]\n", ErrUnknown, []string{"config.toml:2", "issuer"}},
		"a misspelt table":           {home, "[[policies]]\nrequire = ['sbom']\n", ErrUnknown, []string{"config.toml:", "policies"}},
		"a table for a list":         {home, "# one\n[policy]\nrequire = ['sbom']\n", ErrValue, []string{"config.toml:3: policy: ", "write [[policy]], not [policy]"}},
		"builders in one table":      {home, "[builders]\nlevel = 1\n", ErrValue, []string{"write [[builders]]"}},
		"advisories in one table":    {home, "[advisories]\nfile = 'x'\n", ErrValue, []string{"write [[advisories]]"}},
		"nothing asked":              {home, "[[policy]]\nrepository = 'acme'\n", ErrValue, []string{"config.toml:2: policy.1: expected something"}},
		"nothing at all":             {home, rule + "[[policy]]\n", ErrValue, []string{"config.toml:", "policy.2: expected something"}},
		"an empty scope":             {home, rule + "product = ''\n", ErrValue, []string{"config.toml:3: policy.1.product: expected a name"}},
		"empty advice":               {home, rule + "advisories = ''\n", ErrValue, []string{"config.toml:3: policy.1.advisories: expected deny or warn"}},
		"threshold 0":                {home, "[[policy]]\nsigners = [{" + key + "}]\n\nthreshold = 0\n", ErrValue, []string{"config.toml:4: policy.1.threshold: expected 1 to 1"}},
		"a signer of no name":        {home, "[[policy]]\nsigners = [{" + key + "},\n {issuer = 'x'}]\n", ErrValue, []string{"config.toml:3: policy.1.signers.1"}},
		"an empty list":              {project, "[[policy]]\nrequire = []\n", ErrValue, []string{"assay.toml:2: policy.1.require: ", "empty list"}},
		"revoked":                    {project, "[[policy]]\nstatuses = ['revoked']\n", ErrValue, []string{"assay.toml:2: policy.1.statuses.0", "always refused"}},
		"a bad pattern":              {home, "[[policy]]\n\nsource = ['/(/']\n", nil, []string{"config.toml:3", "regular expression"}},
		"no duration":                {home, rule + "min_age = 'long'\n", nil, []string{"config.toml:3", "s, m, h, d, w"}},
		"a negative duration":        {home, rule + "max_age = '-3d'\n", nil, []string{"config.toml:3", "above 0"}},
		"a number for a list":        {home, "[[policy]]\nrequire = 1\n", nil, []string{"config.toml:2"}},
		"a bad component":            {home, "[[policy]]\ncomponents = {deny = ['x@<<']}\n", ErrValue, []string{"config.toml:2: policy.1.components.deny.0"}},
		"too many rules":             {home, strings.Repeat(rule, policy.MaxRules+1), ErrValue, []string{"config.toml:514: policy.257: expected at most 256 rules in all"}},
		"too many builders":          {home, strings.Repeat("[[builders]]\nbuilder = 'b'\nsigner = {"+key+"}\nlevel = 1\n", policy.MaxBuilders+1), ErrValue, []string{"expected at most 256 builders in all"}},
		"level 4":                    {home, "[[builders]]\nbuilder = 'b'\nsigner = {" + key + "}\nlevel = 4\n", ErrValue, []string{"config.toml:4: builders.1.level: expected 1 to 3"}},
		"a signer of no profile":     {project, "[[policy]]\nsigners = [{" + key + ", profile = 'p'}]\n", ErrUnknown, []string{"assay.toml:2: policy.1.signers.0.profile", `no profile is called "p"`}},
		"a rebuilder of no profile":  {home, profile + "[[policy]]\nrebuilders = {need = 1, of = [{profile = 'pp', " + key + "}]}\n", ErrUnknown, []string{"config.toml:5: policy.1.rebuilders.of.0.profile", `did you mean "p"?`}},
		"a builder of no profile":    {home, "[[builders]]\nbuilder = 'b'\nlevel = 1\nsigner = {profile = 'p', " + key + "}\n", ErrUnknown, []string{"config.toml:4: builders.1.signer.profile"}},
		"a repository's no profile":  {home, "[repositories.acme]\nprofiles = ['p']\n", ErrUnknown, []string{"config.toml:2: repositories.acme.profiles"}},
		"a repository of none":       {home, "[repositories.acme]\nprofiles = []\n", ErrValue, []string{"config.toml:2: repositories.acme.profiles: expected 1 to 64"}},
		"a profile twice":            {home, profile + "[repositories.acme]\nprofiles = ['p', 'p']\n", ErrValue, []string{"config.toml:5", "each once"}},
		"profiles of no repository":  {home, profile + "[repositories.'A/B']\nprofiles = ['p']\n", ErrValue, []string{"config.toml:5"}},
		"a repository still needs":   {home, profile + "[repositories.acme]\nprofiles = ['p']\ngrace = '1h'\n", ErrValue, []string{"expected a url"}},
		"no kind":                    {home, "[profiles.p]\nkeys = ['x']\n", ErrValue, []string{"config.toml:2: profiles.p.kind", "public-good, github, private, key"}},
		"an unknown kind":            {home, "[profiles.p]\nkind = 'keys'\n", ErrValue, []string{"config.toml:2: profiles.p.kind", `found "keys"`}},
		"no profile name":            {home, "[profiles.'A/B']\nkind = 'key'\nkeys = ['a']\n", ErrValue, []string{"config.toml:2"}},
		"no trusted root":            {home, "[profiles.p]\nkind = 'github'\n", ErrValue, []string{"config.toml:2: profiles.p: expected a trusted_root", "found neither"}},
		"two trusted roots":          {home, "[profiles.p]\nkind = 'github'\ntrusted_root = 'x'\ntarget = 'x'\n", ErrValue, []string{"config.toml:3: profiles.p.trusted_root", "found both"}},
		"a root without repository":  {home, "[profiles.p]\nkind = 'github'\ntarget = 'x'\n", ErrValue, []string{"profiles.p.repository"}},
		"a root without target":      {home, "[profiles.p]\nkind = 'github'\nrepository = 'x'\n", ErrValue, []string{"profiles.p.target: expected the clean path"}},
		"a root upward":              {home, "[profiles.p]\nkind = 'github'\nrepository = 'x'\ntarget = '../x'\n", ErrValue, []string{"config.toml:4: profiles.p.target"}},
		"no keys":                    {home, "[profiles.p]\nkind = 'key'\n", ErrValue, []string{"profiles.p.keys: expected 1 to 64 files, found 0"}},
		"an empty key":               {home, "[profiles.p]\nkind = 'key'\nkeys = ['']\n", ErrValue, []string{"config.toml:3: profiles.p.keys", "empty text"}},
		"too many keys":              {home, "[profiles.p]\nkind = 'key'\nkeys = [" + strings.Repeat("'a',", maxProfileKeys+1) + "]\n", ErrValue, []string{"found 65"}},
		"a long path of a target":    {home, "[[advisories]]\nrepository = 'x'\ntarget = '" + strings.Repeat("y", 1025) + "'\n", ErrValue, []string{"config.toml:3: advisories.1.target: expected the clean path"}},
		"too many for a repository":  {home, manyProfiles(maxProfiles) + "[repositories.acme]\nprofiles = [" + quoted(maxProfiles+1) + "]\n", ErrValue, []string{"repositories.acme.profiles: expected 1 to 64 names, found 65"}},
		"a profile without a name":   {home, profile + "[repositories.acme]\nprofiles = ['']\n", ErrValue, []string{"config.toml:5", "each once"}},
		"a project's file, too long": {project, strings.Repeat("#", maxFile+1), nil, []string{"assay.toml", "at most 1048576 bytes"}},
		"keys for a certificate":     {home, "[profiles.p]\nkind = 'github'\ntrusted_root = 'x'\nkeys = ['x']\n", ErrValue, []string{"config.toml:4: profiles.p.keys"}},
		"a threshold that lowers":    {home, "[profiles.p]\nkind = 'public-good'\ntrusted_root = 'x'\n[profiles.p.thresholds]\nscts = 0\n", ErrValue, []string{"config.toml:5: profiles.p.thresholds.scts", "only be raised"}},
		"a threshold too high":       {home, "[profiles.p]\nkind = 'public-good'\ntrusted_root = 'x'\nthresholds = {times = 33}\n", ErrValue, []string{"config.toml:4: profiles.p.thresholds.times", "expected 1 to 32"}},
		"certificates of keys":       {home, profile + "thresholds = {scts = 1}\n", ErrValue, []string{"config.toml:4: profiles.p.thresholds.scts"}},
		"a misspelt threshold":       {home, profile + "thresholds = {sct = 1}\n", ErrUnknown, []string{"config.toml:4", "scts"}},
		"an advisory from nowhere":   {home, "[[advisories]]\n", ErrValue, []string{"advisories.1: expected a file", "found neither"}},
		"an advisory from both":      {home, "[[advisories]]\nfile = 'x'\ntarget = 'y'\n", ErrValue, []string{"config.toml:2: advisories.1.file"}},
		"an advisory's target":       {home, "[[advisories]]\nrepository = 'x'\n", ErrValue, []string{"advisories.1.target"}},
		"too many advisories":        {home, strings.Repeat("[[advisories]]\nfile = 'x'\n", maxAdvisories+1), ErrValue, []string{"at most 64"}},
		"too many profiles":          {home, manyProfiles(maxProfiles + 1), ErrValue, []string{"expected at most 64 profiles"}},
		"a project's profile":        {project, profile, ErrProject, []string{"assay.toml:2", "cannot add trust"}},
		"a project's builder":        {project, "[[builders]]\nlevel = 1\n", ErrProject, []string{"assay.toml:2", "cannot add trust"}},
		"a project's empty builders": {project, "[[builders]]\n", ErrProject, []string{"assay.toml:1"}},
		"a project's advisory":       {project, "[[advisories]]\nfile = 'x'\n", ErrProject, []string{"assay.toml:2", "cannot add trust"}},
		"a project's judges":         {project, "[repositories.acme]\nprofiles = ['x']\n", ErrProject, []string{"assay.toml:2", "cannot add trust"}},
		"an unknown lock":            {system, "locked = ['polcy']\n", ErrUnknown, []string{`"policy"`}},
	} {
		_, options := tree(t, map[string]string{test.file: test.text})
		c, err := Load(options)
		if c != nil || !errors.Is(err, ErrConfig) || test.kind != nil && !errors.Is(err, test.kind) {
			t.Errorf("%s: expected %v, found %v", name, test.kind, err)
			continue
		}
		for _, part := range test.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: expected %q in %q", name, part, err)
			}
		}
	}
}

func manyProfiles(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString("[profiles.p" + strconv.Itoa(i) + "]\nkind = 'key'\nkeys = ['/a']\n")
	}
	return text.String()
}

// quoted lists the names p0, p1 …
func quoted(n int) string {
	var names []string
	for i := range n {
		names = append(names, "'p"+strconv.Itoa(i)+"'")
	}
	return strings.Join(names, ", ")
}

// A signer may leave open by which profile, and a profile may be declared again.
func TestProfilesThatAreLeftOutOrSaidAgain(t *testing.T) {
	_, options := tree(t, map[string]string{
		"etc/config.toml":        manyProfiles(maxProfiles),
		"home/assay/config.toml": "[[policy]]\nsigners = [{" + key + "}]\n[[builders]]\nbuilder = 'b'\nsigner = {" + key + "}\nlevel = 1\n",
		"etc/conf.d/1.toml":      "[profiles.p0]\nkind = 'key'\nkeys = ['/a']\n",
	})
	c, err := Load(options)
	if err != nil || len(c.Profiles) != maxProfiles+len(builtInProfiles()) || len(c.Rules) != 1 {
		t.Errorf("found %v", err)
	}
}

// What the system locks nobody adds to, and another profile under a name that is
// taken is an error.
func TestLockedProofs(t *testing.T) {
	const profile = "[profiles.p]\nkind = 'key'\nkeys = ['/a.pem']\n"
	for name, test := range map[string]struct {
		system, file, text string
		kind               error
		says               string
	}{
		"a rule":             {"locked = ['policy']\n", "home/assay/config.toml", rule, ErrLocked, "locked by"},
		"a project's rule":   {"locked = ['policy']\n", "work/assay.toml", rule, ErrLocked, "assay.toml:2"},
		"a builder":          {"locked = ['builders']\n", "home/assay/config.toml", "[[builders]]\nbuilder = 'b'\nsigner = {" + key + "}\nlevel = 1\n", ErrLocked, "config.toml:2"},
		"an advisory":        {"locked = ['advisories']\n", "home/assay/config.toml", "[[advisories]]\nfile = 'x'\n", ErrLocked, "config.toml:2"},
		"a profile":          {"locked = ['profiles']\n", "home/assay/config.toml", profile, ErrLocked, "profiles.p"},
		"one profile":        {"locked = ['profiles.p']\n", "home/assay/config.toml", profile, ErrLocked, "profiles.p"},
		"judges":             {"locked = ['repositories.acme']\n" + profile, "home/assay/config.toml", "[repositories.acme]\nprofiles = ['p']\n", ErrLocked, "repositories.acme.profiles"},
		"otherwise declared": {profile, "home/assay/config.toml", "[profiles.p]\nkind = 'key'\nkeys = ['/b.pem']\n", ErrValue, "declared otherwise in"},
		"of another kind":    {"[profiles.p]\nkind = 'private'\ntrusted_root = '/x'\n", "home/assay/config.toml", "[profiles.p]\nkind = 'github'\ntrusted_root = '/x'\n", ErrValue, "declared otherwise in"},
		"another file":       {"[profiles.p]\nkind = 'private'\ntrusted_root = '/x'\n", "home/assay/config.toml", "[profiles.p]\nkind = 'private'\ntrusted_root = '/y'\n", ErrValue, "declared otherwise in"},
		"another repository": {"[profiles.p]\nkind = 'private'\nrepository = 'a'\ntarget = 'x'\n", "home/assay/config.toml", "[profiles.p]\nkind = 'private'\nrepository = 'b'\ntarget = 'x'\n", ErrValue, "declared otherwise in"},
		"another target":     {"[profiles.p]\nkind = 'private'\nrepository = 'a'\ntarget = 'x'\n", "home/assay/config.toml", "[profiles.p]\nkind = 'private'\nrepository = 'a'\ntarget = 'y'\n", ErrValue, "declared otherwise in"},
		"with less":          {profile + "thresholds = {times = 1}\n", "home/assay/config.toml", profile, ErrValue, "declared otherwise in"},
	} {
		_, options := tree(t, map[string]string{"etc/config.toml": test.system, test.file: test.text})
		if c, err := Load(options); c != nil || !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: expected %v and %q, found %v", name, test.kind, test.says, err)
		}
	}
}

// Profiles of a repository may be named without declaring it; the last file wins.
func TestProfilesOfRepositories(t *testing.T) {
	profiles := "[profiles.a]\nkind = 'key'\nkeys = ['a']\n[profiles.b]\nkind = 'key'\nkeys = ['b']\n"
	_, options := tree(t, map[string]string{
		"etc/config.toml":        profiles + "[repositories.acme]\nurl = 'https://a.example'\nroot_sha256 = '" + digest + "'\nprofiles = ['a']\n",
		"home/assay/config.toml": "[repositories.acme]\nprofiles = ['b', 'a']\n[repositories.mine]\nprofiles = ['b']\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.ProfilesOf("acme"), " ") + "," + strings.Join(c.ProfilesOf("mine"), " ") + "," + strings.Join(c.ProfilesOf("none"), " "); got != "b a,b," {
		t.Errorf("found %s", got)
	}
	if len(c.Repositories) != 1 {
		t.Errorf("expected one declared repository, found %v", c.Repositories)
	}
	if p, ok := c.Profile("b"); !ok || p.Kind != provenance.Keys || !strings.HasSuffix(p.Keys[0], "b") {
		t.Errorf("found %+v", p)
	}
	if _, ok := c.Profile("c"); ok {
		t.Error("c is not declared")
	}
}

// FuzzRules asserts that every refusal is an ErrConfig on one line, and that
// what is taken from a project keeps from passing what the user's rules refuse.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		rule, "[[policy]]\nsigners = [{" + key + "}]\nthreshold = 1\n", "policy = [{min_age = '3d', max_age = '4d'}]\n",
		"[[policy]]\nlicenses = {allow = ['MIT']}\ncomponents = {deny = ['x@<1']}\n[[policy]]\nstatuses = ['current']\nadvisories = 'warn'\n",
		"[[policy]]\nrebuilders = {need = 1, of = [{issuer = 'https://i.example', identity = '/a.*/'}]}\n", "[policy]\nref = ['refs/tags/*']\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		user, err := decodeRules([]byte("[[policy]]\nrepository = 'acme'\nstatuses = ['current']\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		both, err := decodeRules(data, user)
		if err != nil {
			if !errors.Is(err, ErrConfig) || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("expected an ErrConfig on one line, found %q", err)
			}
			return
		}
		c := &Config{Rules: both}
		p, err := c.Policy()
		if err != nil {
			t.Fatalf("what was taken is no policy: %v", err)
		}
		if _, err := p.Judge(policy.Subject{Repository: "acme", Status: "deprecated", Digests: artifact.Digests{}}, time.Unix(1, 0)); !errors.Is(err, policy.ErrRefused) {
			t.Errorf("expected the user's rule to hold, found %v", err)
		}
		for _, r := range both {
			for _, v := range r.values() {
				if v.Origin.Line == 0 || v.Value == "" {
					t.Errorf("expected a value and its line, found %+v", v)
				}
			}
		}
	})
}

// decodeRules takes the rules of a project's file behind others.
func decodeRules(data []byte, before []Rule) ([]Rule, error) {
	f := &file{kind: Project, path: "assay.toml", data: data}
	var err error
	if f.lines, err = definedKeys(f.path, data); err != nil {
		return nil, &Error{Err: err}
	}
	var doc projectDocument
	if err := f.decode(&doc); err != nil {
		return nil, err
	}
	b := &builder{rules: before}
	if err := b.addRules(doc.Policy, f); err != nil {
		return nil, err
	}
	return b.rules, nil
}
