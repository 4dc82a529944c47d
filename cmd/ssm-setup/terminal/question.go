package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrDeclined says that a person was asked and said no.
var ErrDeclined = fault.New(fault.Other, "it was not confirmed, and nothing was changed", "answer y, or add --yes")

// ErrNothingTyped says that the input ended where a secret was asked for.
var ErrNothingTyped = fault.New(fault.Usage, "nothing was typed", "")

// Typed tells whether the input is typed by a person.
func (p *Printer) Typed() bool {
	f, ok := p.In.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Asks tells whether a person can be asked: input and the place of questions are terminals, and a person reads the answer.
func (p *Printer) Asks() bool { return p.Terminal && !p.JSON && p.Typed() }

// Confirm asks a person before something is taken away. assumed is --yes. Where no person can be asked it is done: scripts say what they
// want. All but a yes, and the end of the input, is [ErrDeclined]; an interruption ends the wait with the context's error.
func (p *Printer) Confirm(ctx context.Context, assumed bool, format string, args ...any) error {
	if assumed || !p.Asks() {
		return nil
	}
	p.endLine()
	fmt.Fprintf(p.Err, format+" [y/N] ", args...)
	text, err := await(ctx, func() (string, error) {
		text, err := bufio.NewReader(p.In).ReadString('\n')
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(p.Err) // the line that the answer would have ended
			err = nil
		}
		return text, err
	})
	if err != nil {
		fmt.Fprintln(p.Err)
		return err
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "y", "yes":
		return nil
	}
	return ErrDeclined
}

// Secret asks a person for one that is not shown while it is typed. Only where [Printer.Typed] is true. However it ends, the terminal
// shows again what is typed; an interruption does not wait for the end of the line. The end of the input is [ErrNothingTyped].
func (p *Printer) Secret(ctx context.Context, what string) (string, error) {
	in := p.In.(*os.File)
	before, err := term.GetState(int(in.Fd()))
	if err == nil {
		err = conceal(in) // before the question: what is typed at once is not shown either
	}
	if err != nil {
		return "", err
	}
	p.endLine()
	fmt.Fprintf(p.Err, "%s (it is not shown): ", what)
	text, err := await(ctx, func() (string, error) { return bufio.NewReader(in).ReadString('\n') })
	_ = term.Restore(int(in.Fd()), before)
	fmt.Fprintln(p.Err)
	text = strings.TrimSpace(text)
	if errors.Is(err, io.EOF) {
		if err = nil; text == "" {
			err = ErrNothingTyped
		}
	}
	return text, err
}

// await is the answer of a person, or the error of a context that ends before. What reads is left behind then: the program ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := read()
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
