# How the go-tuf example is used, from nothing to a change of keys; each part is run by a test.

# doc: init
publish init repo keys channel-stable hello
mkdir offline channel product online
mv keys/root.* keys/targets.* offline/
mv keys/channel-stable.* channel/
mv keys/hello.* product/
mv keys/snapshot.* keys/timestamp.* online/
# doc: end

# doc: first
assay lint $(find files/1.0.0 -name '*.json')
publish add repo product files/1.0.0 hello
publish add repo channel files/1.0.0 channel-stable
publish add repo offline files/1.0.0 targets
publish online repo online
# doc: end

# doc: next
assay lint $(find files/1.1.0 -name '*.json')
publish add repo product files/1.1.0 hello
publish add repo channel files/1.1.0 channel-stable
publish online repo online
# doc: end

# doc: revoke
assay lint $(find files/revoked -name '*.json')
publish add repo channel files/revoked
publish online repo online
# doc: end

# doc: rotate
publish rotate repo offline hello
publish online repo online
mv offline/hello.1.pem product/hello.1.pem
# doc: end

# doc: rotate-root
publish rotate repo offline root
publish online repo online
rm offline/root.[123].pem
# doc: end
