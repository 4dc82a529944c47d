package cab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Write writes a cabinet of files. The compressed data is kept in memory until all sizes are known.
func Write(w io.Writer, files []File) error {
	folders, err := arrange(files)
	if err != nil {
		return err
	}
	for _, f := range folders {
		if err := f.compress(); err != nil {
			return err
		}
	}
	head, err := index(files, folders)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, f := range folders {
		for i, body := range f.blocks {
			if _, err := w.Write(dataHeader(body, f.blockSize(i))); err != nil {
				return err
			}
			if _, err := w.Write(body); err != nil {
				return err
			}
		}
	}
	return nil
}

// folder is one stream of data.
type folder struct {
	files  []File
	size   int64
	blocks [][]byte
}

func (f *folder) blockSize(i int) int { return int(min(block, f.size-int64(i)*block)) }

// arrange checks the files and gives them folders.
func arrange(files []File) ([]*folder, error) {
	if len(files) == 0 || len(files) > maxFiles {
		return nil, fmt.Errorf("%w: %d files, 1 to %d are possible", ErrSize, len(files), maxFiles)
	}
	folders := []*folder{{}}
	for _, f := range files {
		if err := check(f); err != nil {
			return nil, err
		}
		last := folders[len(folders)-1]
		if last.size+f.Size > maxBlocks*block {
			last = &folder{}
			folders = append(folders, last)
		}
		last.files, last.size = append(last.files, f), last.size+f.Size
	}
	return folders, nil
}

func check(f File) error {
	switch {
	case f.Name == "" || len(f.Name) > maxNameBytes || strings.ContainsRune(f.Name, 0) || !utf8.ValidString(f.Name):
		return fmt.Errorf("%w: %q", ErrName, f.Name)
	case f.Size < 0 || f.Size > maxBlocks*block || f.Size > maxSize:
		return fmt.Errorf("%w: %q has %d bytes", ErrSize, f.Name, f.Size)
	}
	return nil
}

// compress reads the folder's files and makes its blocks, several at a time.
func (f *folder) compress() error {
	n := int((f.size + block - 1) / block)
	f.blocks = make([][]byte, n)
	type job struct {
		i             int
		data, history []byte
	}
	jobs, errs := make(chan job, runtime.NumCPU()), make(chan error, 1)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			var s squeezer
			for j := range jobs {
				body, err := s.squeeze(j.data, j.history)
				if err != nil {
					select {
					case errs <- err:
					default:
					}
				}
				f.blocks[j.i] = body
			}
		})
	}
	r := f.reader()
	var history []byte
	var err error
	for i := 0; i < n && err == nil; i++ {
		data := make([]byte, f.blockSize(i))
		if _, err = io.ReadFull(r, data); err == nil {
			jobs <- job{i, data, history}
			history = data
		}
	}
	close(jobs)
	wg.Wait()
	select {
	case err = <-errs:
	default:
	}
	return err
}

// reader is all files of the folder, each exactly as long as it says.
func (f *folder) reader() io.Reader {
	var all []io.Reader
	for _, file := range f.files {
		if file.Size > 0 {
			all = append(all, &exactly{file, file.Size})
		}
	}
	return io.MultiReader(all...)
}

type exactly struct {
	file File
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.file.From.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if errors.Is(err, io.EOF) && e.left > 0 {
		err = fmt.Errorf("%s: %w, %d bytes are missing", e.file.Name, io.ErrUnexpectedEOF, e.left)
	} else if e.left == 0 {
		err = nil
	}
	return n, err
}

// index is everything before the data.
func index(files []File, folders []*folder) ([]byte, error) {
	le := binary.LittleEndian
	at := int64(headerSize + folderSize*len(folders))
	firstFile := at
	for _, f := range files {
		at += fileSize + int64(len(f.Name)) + 1
	}
	var rows []byte
	for _, f := range folders {
		rows = le.AppendUint32(rows, uint32(at))
		rows = le.AppendUint16(rows, uint16(len(f.blocks)))
		rows = le.AppendUint16(rows, methodMSZIP)
		for _, b := range f.blocks {
			at += dataSize + int64(len(b))
		}
		if at > maxSize {
			return nil, fmt.Errorf("%w: %d bytes", ErrSize, at)
		}
	}
	b := append(make([]byte, 0, firstFile), "MSCF\x00\x00\x00\x00"...)
	for _, v := range []uint32{uint32(at), 0, uint32(firstFile), 0} {
		b = le.AppendUint32(b, v)
	}
	for _, v := range []uint16{version, uint16(len(folders)), uint16(len(files)), 0, 0, 0} { // flags, set, number in the set
		b = le.AppendUint16(b, v)
	}
	b = append(b, rows...)
	for i, folder := range folders {
		var offset int64
		for _, f := range folder.files {
			b = appendFile(b, f, offset, i)
			offset += f.Size
		}
	}
	return b, nil
}

func appendFile(b []byte, f File, offset int64, folder int) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, uint32(f.Size))
	b = le.AppendUint32(b, uint32(offset))
	date, clock := dosTime(f.Modified)
	attributes := uint16(attrArchive)
	if strings.ContainsFunc(f.Name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		attributes |= attrUTF
	}
	for _, v := range []uint16{uint16(folder), date, clock, attributes} {
		b = le.AppendUint16(b, v)
	}
	return append(append(b, f.Name...), 0)
}

// dosTime is a time in the words of DOS, moved into the years it has.
func dosTime(t time.Time) (date, clock uint16) {
	t = t.UTC()
	switch {
	case t.Year() < 1980:
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 2107:
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	return uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()), uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
}
