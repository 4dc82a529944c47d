package manifests_test

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// A host reads the manifest of its region, finds the file of its platform, and decides what to do.
func ExampleParseManifest() {
	m, err := manifests.ParseManifest([]byte(`{
	  "SchemaVersion": "1.0",
	  "UriFormat": "https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/{PackageName}/{PackageVersion}/{FileName}",
	  "Packages": [{"Name": "amazon-ssm-agent", "Files": [{"Name": "amazon-ssm-agent-portable-linux-amd64.tar.gz", "AvailableVersions": [
	    {"Version": "9.1.0.0", "CheckSum": "ba78…"},
	    {"Version": "9.2.0.0", "CheckSum": "cb86…"},
	    {"Version": "9.3.0.0", "CheckSum": "dc95…", "Status": "Inactive"}]}]}]}`))
	if err != nil {
		panic(err)
	}
	listing, err := m.Listing(manifests.AgentPackage, manifests.PortableFile("linux", "amd64"))
	if err != nil {
		panic(err)
	}
	d := manifests.Decide(manifests.Question{
		Region:  "eu-central-1",
		Running: manifests.MustVersion("9.1.0.0"),
		Newest:  listing.LatestActive(),
		Status:  listing.Statuses(),
	})
	fmt.Println(d.Kind, d.Target)
	fmt.Println(d.Detail)
	fmt.Println(listing.URL("eu-central-1", d.Target))
	// Output:
	// upgrade 9.2.0.0
	// upgrade from 9.1.0.0 to 9.2.0.0 in region eu-central-1
	// https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/amazon-ssm-agent/9.2.0.0/amazon-ssm-agent-portable-linux-amd64.tar.gz
}
