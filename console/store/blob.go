package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
)

// partSize is how many bytes a row of a blob holds at most.
const partSize = 256 << 10

// AppendBlob adds bytes at the end of a blob, which comes into being by it, and
// returns its new size. Each call makes at least one row, so collect small
// pieces before.
func (tx *Tx) AppendBlob(organisation, id uuid.UUID, p []byte) (size int64, err error) {
	if !tx.scope.Reaches(organisation) {
		return 0, ErrNotFound
	}
	size, err = tx.BlobSize(id)
	if errors.Is(err, ErrNotFound) {
		size = 0
	} else if err != nil {
		return 0, err
	}
	for len(p) > 0 {
		part := p[:min(len(p), partSize)]
		if _, err := tx.exec("INSERT INTO blob_part (organisation_id, id, part, bytes) VALUES ($1, $2, $3, $4)", organisation, id, size, part); err != nil {
			return 0, err
		}
		size += int64(len(part))
		p = p[len(part):]
	}
	return size, nil
}

// BlobSize returns how many bytes a blob holds, or ErrNotFound.
func (tx *Tx) BlobSize(id uuid.UUID) (size int64, err error) {
	err = tx.QueryRow("SELECT part + length(bytes) FROM blob_part WHERE id = $1 AND {wall} ORDER BY part DESC LIMIT 1", id).Scan(&size)
	return size, err
}

// DeleteBlob removes a blob. It is no error if there is none.
func (tx *Tx) DeleteBlob(id uuid.UUID) error {
	_, err := tx.Exec("DELETE FROM blob_part WHERE id = $1 AND {wall}", id)
	return err
}

// WriteBlob copies everything from r into a new blob, at most limit bytes, a
// row at a time: however large it is, it takes 256 KiB of memory. On an error
// nothing is left.
func (s *Store) WriteBlob(ctx context.Context, scope Scope, organisation, id uuid.UUID, r io.Reader, limit int64) (size int64, err error) {
	defer func() {
		if err == nil {
			return
		}
		err = fmt.Errorf("writing blob %s: %w", id, err)
		if derr := s.Update(context.WithoutCancel(ctx), scope, func(tx *Tx) error { return tx.DeleteBlob(id) }); derr != nil {
			err = errors.Join(err, derr)
		}
	}()
	buf := make([]byte, partSize)
	for {
		n, rerr := io.ReadFull(r, buf)
		if size+int64(n) > limit {
			return 0, fmt.Errorf("larger than %d bytes", limit)
		}
		if n > 0 {
			if err := s.Update(ctx, scope, func(tx *Tx) error {
				size, err = tx.AppendBlob(organisation, id, buf[:n])
				return err
			}); err != nil {
				return 0, err
			}
		}
		if rerr == io.EOF || rerr == io.ErrUnexpectedEOF {
			return size, nil
		}
		if rerr != nil {
			return 0, rerr
		}
	}
}

// A BlobReader reads a blob as a file. It holds one row at a time and no
// transaction between reads, so that a slow reader is in nobody's way.
type BlobReader struct {
	ctx   context.Context
	store *Store
	scope Scope
	id    uuid.UUID
	size  int64
	at    int64

	part  int64 // offset of the row held
	bytes []byte
}

// OpenBlob opens a blob, or returns ErrNotFound. What is appended later is not
// seen. The context bounds all reads.
func (s *Store) OpenBlob(ctx context.Context, scope Scope, id uuid.UUID) (*BlobReader, error) {
	r := &BlobReader{ctx: ctx, store: s, scope: scope, id: id}
	err := s.View(ctx, scope, func(tx *Tx) (err error) {
		r.size, err = tx.BlobSize(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Size is the number of bytes.
func (r *BlobReader) Size() int64 { return r.size }

// Read implements io.Reader.
func (r *BlobReader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.at < r.part || r.at >= r.part+int64(len(r.bytes)) {
		if err := r.load(); err != nil {
			return 0, fmt.Errorf("reading blob %s: %w", r.id, err)
		}
	}
	n := copy(p, r.bytes[r.at-r.part:]) // rows never grow: none reaches beyond the size
	r.at += int64(n)
	return n, nil
}

func (r *BlobReader) load() error {
	err := r.store.View(r.ctx, r.scope, func(tx *Tx) error {
		return tx.QueryRow("SELECT part, bytes FROM blob_part WHERE id = $1 AND part <= $2 AND {wall} ORDER BY part DESC LIMIT 1", r.id, r.at).Scan(&r.part, &r.bytes)
	})
	if err == nil && r.at >= r.part+int64(len(r.bytes)) {
		err = fmt.Errorf("byte %d is missing", r.at)
	}
	return err
}

// Seek implements io.Seeker.
func (r *BlobReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("reading blob %s: seek before the beginning", r.id)
	}
	r.at = offset
	return offset, nil
}
