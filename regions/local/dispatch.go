package local

import (
	"maps"
	"net/http"
	"slices"
)

// service is a table of operations behind one signing name.
type service struct {
	signing    string // service name in the credential scope
	operations map[string]operation
}

// services are the tables, by prefix of X-Amz-Target; sts comes through the query protocol.
func services() map[string]service {
	return map[string]service{
		"AmazonSSM":                        {"ssm", ssmOperations()},
		"EC2WindowsMessageDeliveryService": {"ec2messages", messageOperations()},
		"sts":                              {"sts", stsOperations()},
	}
}

// Operations are the names a service answers to: "ssm", "ec2messages" or "sts".
func Operations(signing string) []string {
	for _, s := range services() {
		if s.signing == signing {
			return slices.Sorted(maps.Keys(s.operations))
		}
	}
	return nil
}

// ServeHTTP answers one request.
func (r *Region) ServeHTTP(w http.ResponseWriter, req *http.Request) {}
