# What a consumer does with the repository of each example; each part is run by a test.

# doc: trust
assay trust add acme "$URL" --root-sha256 "$ROOT_SHA256"
assay versions hello
assay install hello
assay verify "$(assay which hello)"
# doc: end

# doc: lint
assay lint acme catalog.json
assay lint acme channel-stable/hello.json
assay lint acme hello/1.0.0/release.json
# doc: end

# doc: upgrade
assay upgrade hello
# doc: end
