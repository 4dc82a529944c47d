package document

import "strings"

// SplitName takes a document name or ARN apart: "arn:aws:ssm:eu-west-1:1:document/Doc:2" is the ARN without ":2" and
// version "2". Without a suffix the version is empty.
func SplitName(full string) (name, version string) {
	base := strings.LastIndexByte(full, '/') + 1
	if i := strings.IndexByte(full[base:], ':'); i >= 0 && !(base == 0 && strings.HasPrefix(full, "arn:")) {
		return full[:base+i], full[base+i+1:]
	}
	return full, ""
}
