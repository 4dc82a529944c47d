// Package identity knows who this machine is to a region: its registration, the key behind it, the fingerprint of the
// hardware, and the credentials that follow from them.
//
// Parties: the walk over identity types ([Load], table in identity.go); the vault with the registration (vault.go,
// registration.go); [Register], [Clear] and [SetThreshold] for the command line; registration with a role, by the credentials that a
// Greengrass component gets (edge.go); the fingerprint (fingerprint.go,
// hardware*.go); role tokens and key rotation (token.go, rotate.go); and the keeper of credentials ([Identity.Credentials],
// [Identity.Run]).
//
// Files it owns, in the original's formats, so that either agent takes over from the other (docs/protocol/identity.md, "Vault and
// registration files"):
//
//	<state>/Vault/Manifest                    {"<key>":"<absolute path>"}; foreign keys are kept
//	<state>/Vault/Store/RegistrationKey       who we are and the private key
//	<state>/Vault/Store/InstanceFingerprint   fingerprint, hardware hashes, threshold
//	<state>/Vault/Store/PendingKey            ours: a key on its way to the service (rotate.go)
//	<state>/Vault/Store/Candidate             ours: a registration under way; gone when it ends
//	<state>/registration                      id and region, for people and scripts
//	<state>/runtimeconfig/identity_config.json  what the cached credentials are worth
//	the shared credentials file               one profile of it; all else in that file is left alone
//
// What must always be true:
//   - a registration on disk stays usable until its successor is complete: [Register] writes nothing that the old one needs
//     before the service has said yes (the original empties it first), and a key is on disk before the service learns it;
//   - a record that cannot be read is an error, never "there is none";
//   - credentials that are still good are used without a request, so a restart costs no token.
package identity
