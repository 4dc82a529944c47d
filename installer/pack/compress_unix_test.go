//go:build unix

package pack_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	fastgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// BenchmarkCompress measures what the formats could be compressed with, on what they hold: launcher and worker for
// linux/amd64. bytes is what comes out, cpu-MB/s what goes in per second of one processor, whatever else runs there. Its
// figures are the reasons in doc.go:
//
//	go test ./installer/pack -run - -bench Compress -benchtime 1x
func BenchmarkCompress(b *testing.B) {
	payload := benchPayload(b)
	type writer = io.WriteCloser
	way := func(name string, open func(w io.Writer) (writer, error)) {
		b.Run(name, func(b *testing.B) {
			var n counter
			began := cpu(b)
			rounds := 0
			for b.Loop() {
				n = 0
				z, err := open(&n)
				if err == nil {
					_, err = z.Write(payload)
				}
				if err == nil {
					err = z.Close()
				}
				if err != nil {
					b.Fatal(err)
				}
				rounds++
			}
			b.ReportMetric(float64(n), "bytes")
			b.ReportMetric(float64(len(payload)*rounds)/1e6/(cpu(b)-began).Seconds(), "cpu-MB/s")
		})
	}
	for _, mega := range []int{1, 4, 8, 16, 64} {
		way(fmt.Sprintf("xz/hash-%dM", mega), func(w io.Writer) (writer, error) {
			return xz.WriterConfig{DictCap: mega << 20}.NewWriter(w)
		})
	}
	way("xz/tree-8M", func(w io.Writer) (writer, error) { return xz.WriterConfig{Matcher: lzma.BinaryTree}.NewWriter(w) })
	for level := 1; level <= 9; level++ {
		way(fmt.Sprintf("gzip/klauspost-%d", level), func(w io.Writer) (writer, error) { return fastgzip.NewWriterLevel(w, level) })
	}
	for _, level := range []int{6, 9} {
		way(fmt.Sprintf("gzip/go-%d", level), func(w io.Writer) (writer, error) { return gzip.NewWriterLevel(w, level) })
	}
	for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBetterCompression, zstd.SpeedBestCompression} {
		way("zstd/"+level.String(), func(w io.Writer) (writer, error) {
			return zstd.NewWriter(w, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1))
		})
	}
}

func benchPayload(b *testing.B) []byte {
	b.Helper()
	bin := b.TempDir()
	programs := []string{pack.Launcher, pack.Worker}
	if err := build.Compile(b.Context(), "../..", build.First, amd64, programs, bin, io.Discard); err != nil {
		b.Fatal(err)
	}
	var all bytes.Buffer
	for _, name := range programs {
		data, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			b.Fatal(err)
		}
		all.Write(data)
	}
	return all.Bytes()
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// cpu is the time that this process has had of any processor.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
