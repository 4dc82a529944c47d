package local

import (
	"crypto/rsa"

	"go.etcd.io/bbolt"
)

// ssmOperations are the operations of ssm (target prefix AmazonSSM): those for people, which answer to the region's
// administrator alone, and those for nodes. Shapes, limits and error names of the former are those of the AWS SDK's own
// types; the latter follow spec identity 5 and runcommand 4.
func ssmOperations() map[string]operation {
	return map[string]operation{
		"CreateActivation":    {administrator, createActivation},
		"DescribeActivations": {administrator, describeActivations},
		"DeleteActivation":    {administrator, deleteActivation},

		"RegisterManagedInstance":         {newcomer, registerManagedInstance},
		"RequestManagedInstanceRoleToken": {nodeKeyHolder, requestManagedInstanceRoleToken},
		"UpdateManagedInstancePublicKey":  {nodeKeyHolder, updateManagedInstancePublicKey},
		"UpdateInstanceInformation":       {node, updateInstanceInformation},
		"DescribeInstanceInformation":     {administrator, describeInstanceInformation},
		"DeregisterManagedInstance":       {administrator, deregisterManagedInstance},

		"SendCommand":            {administrator, sendCommand},
		"CancelCommand":          {administrator, cancelCommand},
		"ListCommands":           {administrator, listCommands},
		"ListCommandInvocations": {administrator, listCommandInvocations},
		"GetCommandInvocation":   {administrator, getCommandInvocation},

		"CreateDocument":               {administrator, createDocument},
		"GetDocument":                  {nodeOrAdministrator, getDocument},
		"DescribeDocument":             {nodeOrAdministrator, describeDocument},
		"UpdateDocument":               {administrator, updateDocument},
		"UpdateDocumentDefaultVersion": {administrator, updateDocumentDefaultVersion},
		"DeleteDocument":               {administrator, deleteDocument},
		"ListDocuments":                {administrator, listDocuments},
		"ListDocumentVersions":         {administrator, listDocumentVersions},

		"AddTagsToResource":      {administrator, addTagsToResource},
		"RemoveTagsFromResource": {administrator, removeTagsFromResource},
		"ListTagsForResource":    {administrator, listTagsForResource},
	}
}

// newcomer may register: with an activation nobody needs to sign; with a role (edge) the administrator does.
func newcomer(c caller) bool { return c.anonymous || c.administrator }

// nodeOrAdministrator may read documents: steps that run another document fetch it (spec runcommand 4.4).
func nodeOrAdministrator(c caller) bool { return node(c) || administrator(c) }

// prepareRecords makes the buckets of the operations, once at start.
func prepareRecords(tx *bbolt.Tx) error {
	for _, name := range recordBuckets() {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	return nil
}

// nodeKey is the public key a node is registered with; ok is false for nodes unknown or deregistered.
func (r *Region) nodeKey(instanceID string) (key *rsa.PublicKey, ok bool) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		n, found, err := fetch[registration](tx, inNodes, instanceID)
		if err != nil || !found || n.Gone {
			return err
		}
		key, err = publicKey(n.PublicKey)
		ok = err == nil
		return err
	})
	return key, ok
}
