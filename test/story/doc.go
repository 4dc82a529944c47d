// Package story tells promises to users as scripts: testdata/*.txtar drive the real binaries against a local region, one
// promise a script, each naming the promise in its first lines.
//
// Commands beside testscript's own (exec, stdout, cmp, …), see commands_test.go:
//
//	region [name]                        start a region of its own; sets ENDPOINT, REGION and the administrator's credentials
//	region-break MATCH TIMES STATUS      the next calls of an operation, or of a path, fail with that status
//	region-put KEY FILE                  an object of the region's bucket
//	region-drop                          every connection is closed without an answer
//	region-mend                          all of that ends
//	region-clock DURATION                the region's clock jumps ahead
//	region-close                         the region is gone (its data stays)
//	publish VERSION|KIND…                releases made once for all scripts: 9.1.0.0, 9.2.0.0, and broken ones
//	serve FOLDER                         a plain web server over a folder; sets ENDPOINT
//	fails CODE VERB [ARG…]               ssm-setup fails twice, with and without --json: exit code, error, hint
//	meddle METHOD PATH HOW               a proxy before the region that damages answers, or publishes meanwhile; sets ENDPOINT
//	region-has BUCKET KEY PATTERN        an object of any bucket
//	region-bucket NAME                   another bucket in the region
//	keys                                 files with keys of every kind, good and bad: see keys_test.go
//	activation [LIMIT]                   sets SSM_ACTIVATION_ID and SSM_ACTIVATION_CODE
//	install [FLAG…]                      ssm-setup install --root $ROOT with that activation; WATCH: seconds of watching updates
//	send [-status S] DOCUMENT [K=V…]     Run Command, waits for the end; prints what the region recorded
//	send-async NAME DOCUMENT [K=V…]      the same without waiting
//	await NAME [STATUS]                  waits for it
//	agent-version V                      waits until the region's record of the host says so
//	kill-launcher, stop-launcher         SIGKILL; SIGTERM and wait
//	agent-gone                           waits until no agent runs from the root
//	on-probation                         waits until the pointer has a new version on probation
//	kill-updaters                        SIGKILL to every updater of the root
//	before                               programs and releases of the commit in before_test.go; sets OLD, the folder they lie in
//	region-before, region-take-over      a region run by those programs; this build opens the same data at the same address
//	region-commands N                    the region knows that many commands of the instance, all ended
//	eventually SECONDS COMMAND [ARG…]    runs a program until it succeeds
package story
