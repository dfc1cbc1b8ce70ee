// Package storagetest is the one suite that every back end of package storage must
// pass. A test of the back end calls Run, with a function that opens an empty one.
//
// It tests what the interface promises, by the interface alone; what only one back end
// can meet, a full disk or a planted link, is for that one's own tests.
package storagetest
