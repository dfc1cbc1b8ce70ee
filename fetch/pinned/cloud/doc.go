// Package cloud knows where objects of S3 and GCS can be asked for, and finds the
// credentials for that in the places where the stores' own tools look. It moves no
// byte of an object: it makes URLs and headers, for the one engine that does.
//
// Parties: the user's own configuration of AWS or Google Cloud, which is trusted,
// and may name services that give out credentials for a while, or a program of the
// user's that does; those services. A bucket's server is met only by the engine.
//
// Guarantees: credentials go to the store's own servers, or to the one endpoint that
// the user's configuration names, and are part of no message. What has no
// credentials is asked for as anybody would. Finding credentials takes a bounded
// time; the metadata service of a virtual machine is asked only for s3:// and gs://,
// only where nothing else is configured and, of Google's, where this machine says
// that it is one.
package cloud
