package pinned

import (
	"regexp"
	"strings"
)

// The hosts of S3 have a bucket before them, or in the path; and the region, but
// for old URLs (Amazon S3 User Guide, "Methods for accessing a bucket").
var (
	s3Virtual = regexp.MustCompile(`^([a-z0-9][a-z0-9._-]+)\.s3(?:[.-]([a-z]{2}(?:-[a-z]+)+-[0-9]))?\.amazonaws\.com(?:\.cn)?$`)
	s3Path    = regexp.MustCompile(`^s3(?:[.-]([a-z]{2}(?:-[a-z]+)+-[0-9]))?\.amazonaws\.com(?:\.cn)?$`)
)

const gcsHost = "storage.googleapis.com"

// object reads the https URL of an object on the servers of S3 or GCS. One with a
// query is signed already, or means something else.
func (s *Source) object() (Kind, Object, bool) {
	if s.url.Scheme != "https" || s.url.RawQuery != "" || s.url.User != nil {
		return "", Object{}, false
	}
	host, path := strings.ToLower(s.url.Host), strings.TrimPrefix(s.url.Path, "/")
	kind, object := S3, Object{Key: path, Public: true}
	if found := s3Virtual.FindStringSubmatch(host); found != nil {
		object.Bucket, object.Region = found[1], found[2]
	} else {
		object.Bucket, object.Key, _ = strings.Cut(path, "/")
		found := s3Path.FindStringSubmatch(host)
		switch {
		case found != nil:
			object.Region = found[1]
		case host == gcsHost:
			kind = GCS
		default:
			return "", Object{}, false
		}
	}
	_, err := parseBucket(kind, object.Bucket+"/"+object.Key)
	return kind, object, err == nil
}
