# What tuf-on-ci's workflows run, in the order in which they do, for a machine of one's own
# that stands in for the forge; each part is run by a test.

# doc: event
git fetch origin
git switch "$EVENT"
git pull origin "$EVENT"
tuf-on-ci-update-targets || tuf-on-ci-status
# doc: end

# doc: merge
git switch main
git pull origin main
git merge --no-ff -m "merge $EVENT" "origin/$EVENT"
git push origin main
# doc: end

# doc: publish
tuf-on-ci-online-sign --push
rm -rf ../next
tuf-on-ci-build-repository --metadata ../next/metadata --artifacts ../next/targets
mkdir -p ../repo/metadata
cp -R ../next/targets ../repo/
cp ../next/metadata/[0-9]*.json ../repo/metadata/
cp ../next/metadata/timestamp.json ../repo/metadata/timestamp.json.new
mv ../repo/metadata/timestamp.json.new ../repo/metadata/timestamp.json
# doc: end
