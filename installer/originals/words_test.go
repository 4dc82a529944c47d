package originals_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// said is one thing that a person does, and what is then to be read in its steps, its error and its hint.
type said struct {
	do    func(t *testing.T, w *world) error
	texts []string
}

// installing installs from a bucket.
func installing(base string, change func(*world, *originals.Agent, *originals.Options)) func(*testing.T, *world) error {
	return func(t *testing.T, w *world) error {
		w.offer(base, nil, now, "3.3.1.0")
		a, o := w.agent(), originals.Options{Source: w.source(base), Activation: activation}
		change(w, a, &o)
		_, err := a.Install(t.Context(), o)
		return err
	}
}

// updating updates from 3.3.1.0 to a 3.3.2.0 that behaves in a way.
func updating(behaviour string, change func(*world, *originals.Agent, *originals.Options)) func(*testing.T, *world) error {
	return func(t *testing.T, w *world) error {
		w.offer(amazon, nil, now, "3.3.1.0", "3.3.2.0 "+behaviour)
		w.install(t, "3.3.1.0")
		a, o := w.agent(), originals.Options{Source: w.source(amazon)}
		change(w, a, &o)
		_, err := a.Update(t.Context(), o)
		return err
	}
}

func choosing(wish originals.Wish, have originals.Offered) func(*testing.T, *world) error {
	return func(*testing.T, *world) error {
		_, err := originals.Choose(wish, func() (originals.Offered, error) { return have, nil })
		return err
	}
}

func plainly(*world, *originals.Agent, *originals.Options) {}

// refusals are what is refused before anything is touched.
func refusals() map[string]said {
	system := func(change func(*originals.Agent)) func(*testing.T, *world) error {
		return installing(amazon, func(_ *world, a *originals.Agent, _ *originals.Options) { change(a) })
	}
	return map[string]said{
		"no service manager": {system(func(a *originals.Agent) { a.System.Managed = false }), []string{
			"no service manager runs here: Amazon's agent needs systemd or upstart", "--agent ours needs none"}},
		"no package manager": {system(func(a *originals.Agent) { a.System.Packing = "" }), []string{
			"Amazon's agent is packed for dpkg, rpm, Windows and macOS only"}},
		"an old kernel": {system(func(a *originals.Agent) { a.System.Facts.Kernel = "3.1.0" }), []string{
			"Failed kernel version precondition: Minimum kernel version is 3.2 but instance kernel version is 3.1.0"}},
		"a masked service": {installing(amazon, func(w *world, _ *originals.Agent, _ *originals.Options) { w.masked = true }), []string{
			"is masked: it cannot be started", "systemctl unmask " + service.Name() + ", then run the same command again"}},
		"a snap": {installing(amazon, func(w *world, _ *originals.Agent, _ *originals.Options) { w.put(setup.SnapAgent) }), []string{
			"Amazon's agent is installed as a snap, which only snap can change",
			"snap refresh amazon-ssm-agent updates it, snap remove amazon-ssm-agent removes it"}},
		"no credentials": {installing(amazon, func(_ *world, _ *originals.Agent, o *originals.Options) { o.AskService = true }), []string{
			"there are no credentials to ask the service with"}},
		"ours alone": {func(t *testing.T, w *world) error {
			w.ours(other, "9.1.0.0")
			_, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(other)})
			return err
		}, []string{"lists versions of this project's agent only"}},
		"a full disk": {func(t *testing.T, w *world) error {
			w.offer(amazon, nil, now, "3.3.1.0")
			m, err := manifests.ParseManifest(w.buckets[amazon+"/ssm-agent-manifest.json"])
			must(t, err)
			m.Packages[0].Files[0].AvailableVersions[0].Size = 1 << 50
			w.buckets[amazon+"/ssm-agent-manifest.json"] = m.Bytes()
			_, err = w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon)})
			return err
		}, []string{"MB are free in", "MB are needed"}},
		"a word that is no agent": {func(*testing.T, *world) error {
			_, err := originals.ParseKind("theirs")
			return err
		}, []string{`--agent is ours or original, not "theirs"`}},
		"not offered": {choosing(originals.Wish{Asked: originals.Original}, originals.Offered{Ours: true}), []string{
			"the source does not offer that agent for this system: original", "ssm-setup regions shows what each region serves"}},
		"contradicting": {choosing(originals.Wish{Asked: originals.Ours, Version: "3.3.1.0"}, originals.Offered{}), []string{
			"--agent ours and --version 3.3.1.0 exclude each other"}},
		"the other": {choosing(originals.Wish{Installed: originals.Ours, Version: "3.3.1.0"}, originals.Offered{}), []string{
			"the other agent is installed: version 3.3.1.0 is not one of it", "--agent original moves this machine to it"}},
	}
}

// doubts are packages that are not believed.
func doubts() map[string]said {
	archive := amazon + "/amazon-ssm-agent/3.3.1.0/amazon-ssm-agent-ubuntu-amd64.tar.gz"
	named := func(base string, change func(*world, *originals.Options)) func(*testing.T, *world) error {
		return installing(base, func(w *world, _ *originals.Agent, o *originals.Options) { change(w, o) })
	}
	return map[string]said{
		"not signed, from elsewhere": {installing(other, plainly), []string{
			"the package does not come from Amazon's own bucket, and no good signature says who made it",
			"name the key of its maker with --key FILE, or accept it with --allow-unsigned"}},
		"signed by a key that was not named": {func(t *testing.T, w *world) error {
			w.offer(other, key(t, "maker", now, 0), now, "3.3.1.0")
			_, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(other)})
			return err
		}, []string{"(it is signed by key "}},
		"a key and no signature": {func(t *testing.T, w *world) error {
			return named(amazon, func(_ *world, o *originals.Options) { o.Trust = trusting(t, key(t, "maker", now, 0)) })(t, w)
		}, []string{"the source has no signature of it"}},
		"taken by the manifest": {installing(amazon, plainly), []string{
			"downloaded amazon-ssm-agent-ubuntu-amd64.tar.gz 3.3.1.0, checksum as in the manifest",
			"signature not checked: the source has none", "Amazon's agent runs; it is watched for 1m0s"}},
		"alone": {named(amazon, func(w *world, o *originals.Options) {
			delete(w.buckets, archive)
			o.Trust.AllowUnsigned = true
		}), []string{"downloaded amazon-ssm-agent.deb 3.3.1.0, which no manifest lists the checksum of"}},
		"another package": {named(amazon, func(w *world, _ *originals.Options) {
			w.replace(amazon, "3.3.1.0", map[string]string{"amazon-ssm-agent.deb": "sudo 3.3.1.0-1"})
		}), []string{"the package is not the one that the region lists: it says it is sudo 3.3.1.0-1, not amazon-ssm-agent 3.3.1.0",
			"do not use this source until it is mended"}},
		"no package": {named(amazon, func(w *world, _ *originals.Options) {
			w.replace(amazon, "3.3.1.0", map[string]string{"amazon-ssm-agent.rpm": "x"})
		}), []string{"there is no amazon-ssm-agent.deb in "}},
		"a program that another signed": {func(t *testing.T, w *world) error {
			maker, windows := newMaker(t), forms[1]
			windows.offers(w, amazon, func(v string) []byte { return maker.signed(t, v, "Example Corp") }, "3.3.1.0")
			_, err := windows.agent(w).Install(t.Context(), originals.Options{Source: w.source(amazon), Trust: maker.trust(t)})
			return err
		}, []string{"the package is not signed by Amazon.com Services LLC", "do not use it: fetch it from Amazon's own bucket"}},
		"changed since": {func(t *testing.T, w *world) error {
			must(t, updating("", plainly)(t, w))
			for _, name := range w.kept() {
				must(t, os.WriteFile(filepath.Join(w.home.Own(installer.OwnOriginal), "packages", name), []byte("!"), 0o600))
			}
			_, err := w.agent().Rollback(t.Context())
			return err
		}, []string{"a package that was kept has been changed or is damaged",
			"remove it, and run the same command again: it is fetched anew"}},
	}
}

// failures are what begins and does not come to a good end, and ways back.
func failures() map[string]said {
	confirming := func(answer func(context.Context, string, string) (string, error)) func(*world, *originals.Agent, *originals.Options) {
		return func(_ *world, a *originals.Agent, o *originals.Options) { a.Confirm, o.AskService = answer, true }
	}
	behind := confirming(func(context.Context, string, string) (string, error) { return "3.3.0.0", nil })
	return map[string]said{
		"its log complains":   {updating("complains", plainly), []string{"its log says: [CredentialRefresher] Failed to load credentials"}},
		"its processes end":   {updating("restarts", plainly), []string{"a process of it ended within 1m0s"}},
		"its service ends":    {updating("exits", plainly), []string{"its service does not run"}},
		"it has no worker":    {updating("workerless", plainly), []string{"its worker does not run"}},
		"the service says no": {updating("", behind), []string{"the service still names version 3.3.0.0"}},
		"no registration to ask about": {func(t *testing.T, w *world) error {
			w.offer(amazon, nil, now, "3.3.1.0")
			a := w.agent()
			a.Confirm = func(context.Context, string, string) (string, error) { return "", nil }
			_, err := a.Install(t.Context(), originals.Options{Source: w.source(amazon), AskService: true})
			return err
		}, []string{"this machine is not registered, so the service cannot be asked"}},
		"no way back": {func(t *testing.T, w *world) error {
			w.offer(amazon, nil, now, "3.3.1.0", "3.3.2.0")
			w.install(t, "3.3.1.0")
			forget(t, w)
			w.removeVersion("3.3.1.0")
			_, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)})
			return err
		}, []string{"the package of the installed version cannot be obtained, so there would be no way back",
			"name a source that has it with --source, or install the same version once with --version"}},
		"nothing to go back to": {func(t *testing.T, w *world) error {
			w.offer(amazon, nil, now, "3.3.1.0")
			w.install(t, "")
			_, err := w.agent().Rollback(t.Context())
			return err
		}, []string{"no package of a version before 3.3.1.0 is kept on this machine",
			"ssm-setup update --version V --allow-downgrade gets an older one"}},
		"back twice": {func(t *testing.T, w *world) error {
			must(t, updating("", plainly)(t, w))
			_, err := w.agent().Rollback(t.Context())
			must(t, err)
			_, err = w.agent().Rollback(t.Context())
			return err
		}, []string{"this machine was rolled back from 3.3.2.0 to 3.3.1.0 already", "ssm-setup update --version 3.3.2.0 goes forward again"}},
		"a proxy": {installing(amazon, func(_ *world, _ *originals.Agent, o *originals.Options) {
			address, _ := proxy.Parse("http://me:secret@proxy.example:3128")
			o.Proxy = &address
		}), []string{"the service uses the proxy http://"}},
		"no answer to a registration": {installing(amazon, func(w *world, a *originals.Agent, _ *originals.Options) {
			a.System.Register = func(context.Context, ...string) (string, error) { return "", nil }
		}), []string{"the agent registered, but no instance id is in its vault"}},
		"the removal goes on though the service cannot be stopped": {func(t *testing.T, w *world) error {
			w.offer(amazon, nil, now, "3.3.1.0")
			w.install(t, "")
			a := w.agent()
			a.System.Service = stuck{w}
			_, err := a.Remove(t.Context())
			return err
		}, []string{"the service could not be stopped before the removal: it hangs"}},
	}
}

// moves are those between the two agents.
func moves() map[string]said {
	return map[string]said{
		"commands run": {func(t *testing.T, _ *world) error {
			w := withOurs(t)
			w.begin("for ever", 1<<30)
			return fromOurs(w, w.agent())
		}, []string{"commands still run on this machine, and only the agent that took them can answer them",
			"wait until they end, or cancel them; then run the same command again"}},
		"by installers that cannot": {func(t *testing.T, w *world) error {
			return forms[1].agent(w).ToOurs(t.Context(), originals.Options{}, nil)
		}, []string{"this system's installers cannot exchange the two agents in one step",
			"ssm-setup uninstall, then ssm-setup install with --agent; the registration stays"}},
	}
}

// stuck is a service that cannot be stopped.
type stuck struct{ *world }

func (stuck) Stop(context.Context) error { return errors.New("it hangs") }

// What goes wrong with Amazon's agent is said with its cause and the next step, in these words.
func TestWhatGoesWrongWithAmazonsAgentIsSaidInWords(t *testing.T) {
	for _, list := range []map[string]said{refusals(), doubts(), failures(), moves()} {
		for name, c := range list {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				err := c.do(t, w)
				read := strings.Join(w.steps, "\n")
				if err != nil {
					read += "\n" + err.Error() + "\n" + fault.HintOf(err)
				}
				for _, text := range c.texts {
					if !strings.Contains(read, text) {
						t.Errorf("%q is not said:\n%s", text, read)
					}
				}
				if strings.Contains(read, activation.Code) || strings.Contains(read, "secret") {
					t.Errorf("a secret is shown:\n%s", read)
				}
			})
		}
	}
}

// An original that does not answer while it registers is not waited for.
func TestARegistrationThatDoesNotAnswerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.offer(amazon, nil, now, "3.3.1.0")
		a := w.agent()
		a.System.Register = func(ctx context.Context, _ ...string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		_, err := a.Install(t.Context(), originals.Options{Source: w.source(amazon), Activation: activation})
		if fault.Of(err) != fault.Registration || !strings.Contains(err.Error(), "no answer within 1m0s") || w.has() != "" {
			t.Errorf("%v, %s is there", err, w.has())
		}
	})
}

// What a command says that finds the work of one that was killed.
func TestACommandSaysWhatItFindsOfOneThatWasKilled(t *testing.T) {
	s := scenes()["update"]
	w := s.world(t)
	s.cutAt(w, "before watch")
	must(t, w.agent().Settle(t.Context()))
	if !w.told("a change (update) begun at ") || !w.told(" was not finished: taking it back first") {
		t.Errorf("%q", w.steps)
	}
	s = scenes()["install"]
	w = s.world(t)
	s.cutAt(w, "before watch")
	must(t, s.act(w, w.agent()))
	if !w.told("going on with the install of 3.3.1.0 begun at ") {
		t.Errorf("%q", w.steps)
	}
	w = registeredWorld(t)
	s = scene{act: func(_ *world, a *originals.Agent) error {
		_, err := a.Register(context.Background(), region, activation)
		return err
	}}
	s.cutAt(w, "with the registration set aside")
	must(t, w.agent().Settle(t.Context()))
	if !w.told("an earlier registration did not come to its end; the one of before is there") {
		t.Errorf("%q", w.steps)
	}
	w = withOurs(t)
	must(t, fromOurs(w, w.agent()))
	if !w.told("downloaded amazon-ssm-agent-debian-amd64.deb 9.1.0.0, to be able to go back to it") {
		t.Errorf("%q", w.steps)
	}
}
