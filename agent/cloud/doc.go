// Package cloud is the only door to the AWS SDK: every request to a service of a region goes through it.
//
// Parties: a [Client] calls one service over AWS JSON 1.1 (ssm, ec2messages, kms, logs), public and private operations alike; an
// [S3] reads and writes objects. Requests are signed with SigV4, not at all (activation), or by a hybrid node's own key ([NodeKey],
// RSA-PSS, docs/protocol/identity.md, "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid signature").
// Generated service clients and the SDK's config package stay out: they would double the size of the binary on hosts.
//
// What must always be true:
//   - every failure that came from a service or from the way to it is an [*Error] with a code; the way itself has the code
//     RequestError, and the cause can be unwrapped;
//   - an ended context ends the call at once, a pause between two attempts included;
//   - region and endpoint are always named by the caller. Of the environment only AWS_CA_BUNDLE, AWS_EXECUTION_ENV and the
//     proxy variables count, and only in [HTTP] and [UserAgent] (docs/protocol/identity.md, "Variables read"); on Windows [HTTP]
//     sets the proxy variables where only the system's settings name a proxy.
//
// It owns no files.
package cloud
