package pack

// Manual is what people read and shells complete about ssm-setup, written from its table of subcommands: deb, rpm and pkg bring it along.
// An empty text is left out.
type Manual struct {
	Page            []byte // section 1 of the manual
	Bash, Zsh, Fish []byte // completion
}

// manualEntries are its files. share is the folder of shared files, zsh the one of zsh's functions below it.
func manualEntries(in Input, share, zsh string, mark kind) (list []entry) {
	add := func(path string, k kind, data []byte) {
		if len(data) > 0 {
			list = append(list, entry{path: share + path, mode: 0o644, kind: k, data: data})
		}
	}
	if len(in.Manual.Page) > 0 {
		add("/man/man1/"+Setup+".1.gz", mark, squeeze(string(in.Manual.Page)))
	}
	add("/bash-completion/completions/"+Setup, plain, in.Manual.Bash)
	add("/zsh/"+zsh+"/_"+Setup, plain, in.Manual.Zsh)
	add("/fish/vendor_completions.d/"+Setup+".fish", plain, in.Manual.Fish)
	return list
}
