# How the python-tuf example is used, from nothing to a change of keys; each part is run by a test.

# doc: init
python3 publish.py init repo keys channel-stable hello
mkdir offline channel product online
mv keys/root.* keys/targets.* offline/
mv keys/channel-stable.* channel/
mv keys/hello.* product/
mv keys/snapshot.* keys/timestamp.* online/
# doc: end

# doc: first
assay lint $(find files/1.0.0 -name '*.json')
python3 publish.py add repo product files/1.0.0 hello
python3 publish.py add repo channel files/1.0.0 channel-stable
python3 publish.py add repo offline files/1.0.0 targets
python3 publish.py online repo online
# doc: end

# doc: next
assay lint $(find files/1.1.0 -name '*.json')
python3 publish.py add repo product files/1.1.0 hello
python3 publish.py add repo channel files/1.1.0 channel-stable
python3 publish.py online repo online
# doc: end

# doc: revoke
assay lint $(find files/revoked -name '*.json')
python3 publish.py add repo channel files/revoked
python3 publish.py online repo online
# doc: end

# doc: rotate
python3 publish.py rotate repo offline hello
python3 publish.py online repo online
mv offline/hello.1.pem product/hello.1.pem
# doc: end

# doc: rotate-root
python3 publish.py rotate repo offline root
python3 publish.py online repo online
rm offline/root.[123].pem
# doc: end
