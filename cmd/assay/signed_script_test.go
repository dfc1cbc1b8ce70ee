package main

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/artifact"
	"assay/internal/testrepo"
)

// signedCommand is the script command `signed VERB NAME ARGS…`, for repositories
// whose releases have signatures. What it starts, `repo` can change as well.
//
//	signed box NAME                           make a Sigstore; writes NAME.trusted_root.json
//	signed start acme [box=NAME] [now=…] […]  serve the sample with bundles; as repo start does.
//	                                          The Sigstore is called acme, or is the one named
//	signed release acme PRODUCT VERSION [OPTION…]  publish a release, see signing
//	signed edit acme PATH KEY.0.KEY JSON      change a document, and publish
//	signed put acme PATH FILE                 replace a target by a file, and publish
//	signed large acme PATH BYTES              replace a target by that many bytes, and publish
//	signed drop acme PATH                     take a promise back, and publish
//	signed graft acme FROM TO                 put another artifact's bytes and bundles under TO,
//	                                          with a manifest that fits, and publish
//	signed republish acme TO FILE             put other bytes under TO, with a manifest that fits
//	signed status acme PRODUCT CHANNEL VERSION STATUS  and publish
//	signed unasked acme PART                  no path asked for since the last reset contains PART
//	signed key NAME [SCHEME]                  make a key; writes NAME.pem, sets NAME_KEY
//	signed bundle BOX FILE OUT [OPTION…]      sign FILE into the bundle OUT, see signing
//	signed deep OUT                           a file of JSON that is nested deeply
func signedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: signed VERB NAME ARGS…")
	}
	s := servedBy(ts)
	verb, name, args := args[0], args[1], args[2:]
	switch verb {
	case "box":
		s.box(ts, name)
		return
	case "start":
		s.startSigned(ts, name, args)
		return
	case "key":
		s.key(ts, name, args)
		return
	case "bundle":
		s.bundle(ts, name, args)
		return
	case "deep":
		deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(deep), 0o644))
		return
	}
	repo := s.repos[name]
	if repo == nil {
		ts.Fatalf("signed %s: no repository %s was started", verb, name)
	}
	if verb == "unasked" {
		s.unasked(ts, name, args[0])
		return
	}
	want := map[string]int{"edit": 3, "put": 2, "large": 2, "drop": 1, "graft": 2, "republish": 2, "status": 4}[verb]
	if verb != "release" && len(args) != want {
		ts.Fatalf("signed %s: expected %d arguments", verb, want)
	}
	switch verb {
	case "release":
		ts.Check(repo.AddRelease(s.release(ts, name, args)))
	case "edit":
		editDocument(ts, repo, args[0], strings.Split(args[1], "."), args[2])
	case "put":
		ts.Check(repo.AddTarget(args[0], []byte(ts.ReadFile(args[1])), roleOf(args[0])...))
	case "large":
		ts.Check(repo.AddLarge(args[0], int64(number(ts, args[1])), 1, roleOf(args[0])...))
	case "drop":
		ts.Check(repo.RemoveTarget(args[0], roleOf(args[0])...))
	case "graft":
		graft(ts, repo, args[0], args[1])
	case "republish":
		data := []byte(ts.ReadFile(args[1]))
		ts.Check(repo.AddTarget(args[0], data, roleOf(args[0])...))
		relist(ts, repo, args[0], data)
	case "status":
		ts.Check(repo.SetStatus(args[0], args[1], args[2], args[3], "changed by a test", ""))
	default:
		ts.Fatalf("signed: unknown verb %s", verb)
	}
	ts.Check(repo.Publish())
}

// configureCommand is `configure FILE…`: the files one after the other become the
// user's configuration.
func configureCommand(ts *testscript.TestScript, neg bool, args []string) {
	var lines []string
	for _, name := range args {
		lines = append(lines, ts.ReadFile(name))
	}
	userConfig(ts, neg, lines)
}

// damageCommand is `damage FILE`: the cache's copy of the file's bytes gets
// others, of the same length.
func damageCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FILE")
	}
	data := []byte(ts.ReadFile(args[0]))
	hex := artifact.DigestOf(artifact.SHA256, data).Hex()
	blob := filepath.Join(ts.Getenv("CACHE"), "blobs", "sha256", hex[:2], hex)
	ts.Check(os.Chmod(blob, 0o600))
	data[0]++
	ts.Check(os.WriteFile(blob, data, 0o600))
}

func (s *served) box(ts *testscript.TestScript, name string) *testrepo.Sigstore {
	if s.boxes[name] == nil {
		box, err := testrepo.NewSigstore(nil)
		ts.Check(err)
		s.boxes[name] = box
		ts.Check(os.WriteFile(ts.MkAbs(name+".trusted_root.json"), box.TrustedRoot(), 0o644))
	}
	return s.boxes[name]
}

func (s *served) startSigned(ts *testscript.TestScript, name string, args []string) {
	box, rest := name, []string(nil)
	for _, arg := range args {
		if of, ok := strings.CutPrefix(arg, "box="); ok {
			box = of
			continue
		}
		rest = append(rest, arg)
	}
	s.boxes[name] = s.box(ts, box)
	s.startWith(ts, name, rest, testrepo.Options{
		Signing: &testrepo.Signing{Sigstore: s.boxes[name], Checksums: true, Bills: true},
	})
}

// unasked wants that a part of the repository was not asked for.
func (s *served) unasked(ts *testscript.TestScript, name, part string) {
	for _, path := range s.servers[name].Requests() {
		if strings.Contains(path, part) {
			ts.Fatalf("%s was asked for", path)
		}
	}
}

func (s *served) key(ts *testscript.TestScript, name string, args []string) {
	scheme := testrepo.ECDSA
	if len(args) > 0 {
		scheme = testrepo.Scheme(args[0])
	}
	key, err := testrepo.NewSigningKey(scheme)
	ts.Check(err)
	s.keys[name] = key
	ts.Setenv(strings.ToUpper(name)+"_KEY", key.Digest().String())
	ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), key.PublicPEM(), 0o644))
}

// release reads `PRODUCT VERSION [OPTION…]`. Beside the options of signing there
// are unsigned, channel=…, published=-72h, license=…, status=…, rebuilders=N and
// program=FILE, which is the artifact as it is.
func (s *served) release(ts *testscript.TestScript, name string, args []string) testrepo.Release {
	how := testrepo.Signing{Sigstore: s.boxes[name], Checksums: true, Bills: true}
	r := testrepo.Release{
		Product: args[0], Version: args[1], Channel: "stable", Signing: &how,
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Libc: "static", Format: "tar.gz"}},
	}
	var said []string
	for _, arg := range args[2:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "unsigned":
			r.Unsigned = true
		case "channel":
			r.Channel = value
		case "status":
			r.Status = value
		case "published":
			r.Published = time.Now().Add(duration(ts, value))
		case "license":
			r.Components = []testrepo.Component{{Name: "part", Version: "1.0.0", License: value}}
		case "program":
			r.Artifacts = []testrepo.Artifact{{OS: "linux", Arch: "amd64", Libc: "static", Format: "raw", Data: []byte(ts.ReadFile(value))}}
		case "nobill":
			r.Bill, how.Bills = testrepo.NoBill, false
		case "nosums":
			how.Checksums = false
		case "says":
			how.Artifacts = testrepo.Attested(value)
		case "together":
			how.Together = true
		case "rebuilder":
			how.Rebuilders = append(how.Rebuilders, workflow(value))
		default:
			said = append(said, arg)
		}
	}
	how.Change = func(bundle string, opts *testrepo.BundleOptions) { s.signing(ts, bundle, opts, said) }
	return r
}

// workflow are the claims of the release workflow of a repository at v1.
func workflow(repository string) testrepo.Claims {
	return testrepo.WorkflowClaims(repository, ".github/workflows/release.yml", "refs/tags/v1", strings.Repeat("a", 40))
}

// signing reads options for bundles: version=0.1, preset=github, by=REPOSITORY
// (a look-alike's workflow), issuer=URL, forge=KIND, key=NAME, statement=JSON.
// What follows `PART:` is only for bundles whose name has the part.
func (s *served) signing(ts *testscript.TestScript, bundle string, opts *testrepo.BundleOptions, args []string) {
	for _, arg := range args {
		if part, rest, ok := strings.Cut(arg, "::"); ok {
			if !strings.Contains(bundle, part) {
				continue
			}
			arg = rest
		}
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "version":
			opts.Version = value
		case "preset":
			opts.Preset = testrepo.Preset(value)
		case "by":
			opts.Claims = workflow(value)
		case "identity":
			opts.Claims.Identity = value
		case "issuer":
			opts.Claims.Issuer = value
		case "forge":
			opts.Forgeries = append(opts.Forgeries, testrepo.BundleForgery(strings.ReplaceAll(value, "-", " ")))
		case "key":
			opts.Key, opts.Plain, opts.Preset = s.keys[value], true, testrepo.Bare
		case "statement":
			opts.Data, opts.Digest, opts.Statement = nil, artifact.Digest{}, []byte(value)
		case "predicate":
			var said map[string]any
			ts.Check(json.Unmarshal(opts.Statement, &said))
			said["predicate"] = json.RawMessage(value)
			data, err := json.Marshal(said)
			ts.Check(err)
			opts.Statement = data
		default:
			ts.Fatalf("signed: unknown option %s", arg)
		}
	}
}

// bundle reads `FILE OUT [OPTION…]`. Beside the options of signing there is
// named=SUBJECT: provenance for a subject of that name, in place of a signature
// over the bytes.
func (s *served) bundle(ts *testscript.TestScript, box string, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	opts := testrepo.BundleOptions{Data: data, Claims: workflow("https://git.example/acme/tool")}
	var said []string
	for _, arg := range args[2:] {
		subject, ok := strings.CutPrefix(arg, "named=")
		if !ok {
			said = append(said, arg)
			continue
		}
		statement, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{
			Subjects: []testrepo.Subject{{Name: subject, Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}}},
		})
		ts.Check(err)
		opts.Data, opts.Statement = nil, statement
	}
	s.signing(ts, args[1], &opts, said)
	made, err := s.box(ts, box).Bundle(opts)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), made, 0o644))
}

// roleOf is the role of the sample that signs a target path; none for the
// top-level one.
func roleOf(target string) []string {
	first, _, nested := strings.Cut(target, "/")
	if !nested {
		return nil
	}
	return []string{first}
}

// editDocument sets one value of a document; JSON null takes it away.
func editDocument(ts *testscript.TestScript, repo *testrepo.Repo, target string, keys []string, text string) {
	var value any
	ts.Check(json.Unmarshal([]byte(text), &value))
	ts.Check(repo.EditDocument(target, func(document map[string]any) {
		var at any = document
		for i, key := range keys {
			last := i == len(keys)-1
			switch in := at.(type) {
			case map[string]any:
				if last && value == nil {
					delete(in, key)
				} else if last {
					in[key] = value
				}
				at = in[key]
			case []any:
				n, err := strconv.Atoi(key)
				ts.Check(err)
				if last {
					in[n] = value
				}
				at = in[n]
			default:
				ts.Fatalf("signed edit: nothing at %s", strings.Join(keys[:i], "."))
			}
		}
	}))
}

// graft is what a publisher's machine does that somebody else has taken over: the
// bytes of one artifact stand under another's name, with the good signatures that
// they have. The list of checksums, that would give it away, is gone.
func graft(ts *testscript.TestScript, repo *testrepo.Repo, from, to string) {
	for _, suffix := range []string{"", ".sigstore.json", ".sbom.sigstore.json"} {
		data, ok := repo.Target(from + suffix)
		if !ok {
			ts.Fatalf("signed graft: there is no %s", from+suffix)
		}
		ts.Check(repo.AddTarget(to+suffix, data, roleOf(to)...))
	}
	data, _ := repo.Target(from)
	relist(ts, repo, to, data)
}

// relist has the manifest list an artifact with other bytes.
func relist(ts *testscript.TestScript, repo *testrepo.Repo, target string, data []byte) {
	ts.Check(repo.EditDocument(path.Dir(target)+"/release.json", func(document map[string]any) {
		delete(document, "checksums")
		for _, entry := range document["artifacts"].([]any) {
			if entry := entry.(map[string]any); entry["target"] == target {
				entry["length"] = len(data)
				entry["digests"] = map[string]any{"sha256": artifact.DigestOf(artifact.SHA256, data).Hex()}
			}
		}
	}))
}
