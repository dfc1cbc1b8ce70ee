# What people do, in their clone of the repository that tuf-on-ci runs in; each part is run
# by a test.

# doc: init
tuf-on-ci-delegate sign/init
tuf-on-ci-delegate sign/init channel-stable
tuf-on-ci-delegate sign/init hello
# doc: end

# doc: first
assay lint $(find files/1.0.0 -name '*.json')
git fetch origin
git switch -C sign/hello-1.0.0 origin/main
mkdir -p targets
cp -R files/1.0.0/. targets/
git add targets
git commit -m "hello 1.0.0"
git push origin sign/hello-1.0.0
# doc: end

# doc: sign
tuf-on-ci-sign "$EVENT"
# doc: end

# doc: next
git fetch origin
git switch -C sign/hello-1.1.0 origin/main
cp -R files/1.1.0/. targets/
git add targets
git commit -m "hello 1.1.0"
git push origin sign/hello-1.1.0
# doc: end

# doc: revoke
git fetch origin
git switch -C sign/revoke-hello-1.1.0 origin/main
cp -R files/revoked/. targets/
git add targets
git commit -m "revoke hello 1.1.0"
git push origin sign/revoke-hello-1.1.0
# doc: end
