package unpack

import (
	"math"
	"strings"
	"testing"
)

// TestZipAttacks: as TestTarAttacks, for what zips can do.
func TestZipAttacks(t *testing.T) {
	file := ze{name: "f", body: "x"}
	with := func(change func(*ze)) []byte {
		entry := file
		change(&entry)
		return zipOf(t, entry)
	}
	central := func(offset int, value ...[]byte) []byte {
		return with(func(e *ze) { e.central = at(offset, value...) })
	}
	local := func(offset int, value ...[]byte) []byte {
		return with(func(e *ze) { e.local = localAt(offset, value...) })
	}
	end := func(offset int, value ...[]byte) []byte {
		archive := zipOf(t, file)
		copy(archive[len(archive)-zipEndBytes+offset:], join(value...))
		return archive
	}
	end64 := func(offset int, value ...[]byte) []byte {
		archive := zipParts(t, file).end64()
		copy(archive[len(archive)-zipEndBytes-zipLocatorBytes-zipEnd64Bytes+offset:], join(value...))
		return archive
	}
	extra := func(size, packed uint32, fields ...[]byte) []byte {
		return with(func(e *ze) {
			e.extra = join(fields...)
			e.central = at(20, u32(int(packed)), u32(int(size)))
		})
	}
	const all = math.MaxUint32
	absurd := join(u16(zipExtra64), u16(8), u64(1<<63))
	parts := zipParts(t, file)
	overlapping := zipParts(t, ze{name: "a", body: string(parts.data[:parts.offset])})
	// The second entry is inside the content of the first.
	inner := zipParts(t, ze{name: "a", body: string(parts.data[:parts.offset])}, ze{name: "f", body: "x", central: at(42, u32(zipLocalBytes+1))})
	twice := zipParts(t, file, ze{name: "f", body: "x", central: at(42, u32(0))})
	crc := []byte{0x83, 0x16, 0xdc, 0x8c}
	described := func(descriptor ...[]byte) []byte {
		return with(func(e *ze) { e.flags, e.descriptor = zipDescriptor, join(descriptor...) })
	}
	for name, test := range map[string]struct {
		archive []byte
		want    error
		says    string
	}{
		"absolute path":             {with(func(e *ze) { e.name = "/etc/passwd" }), ErrUnsafe, "found an absolute one"},
		"climbing path":             {with(func(e *ze) { e.name = "../evil" }), ErrUnsafe, `found ".."`},
		"backslashes":               {with(func(e *ze) { e.name = `..\evil` }), ErrUnsafe, `found '\\'`},
		"not UTF-8":                 {with(func(e *ze) { e.name = "\x81" }), ErrUnsafe, "expected UTF-8"},
		"climbing link":             {with(func(e *ze) { e.body, e.mode = "../evil", 0o120777 }), ErrUnsafe, "stays inside"},
		"link with a folder's name": {with(func(e *ze) { e.name, e.mode = "l/", 0o120777 }), ErrUnsafe, "found mode 120777"},
		"long link":                 {with(func(e *ze) { e.body, e.mode = strings.Repeat("l", 1025), 0o120777 }), ErrLimit, "1024 bytes in a path"},
		"long link that is damaged": {with(func(e *ze) {
			e.body, e.mode, e.central, e.local = strings.Repeat("l", 1025), 0o120777, at(16, u32(7)), localAt(14, u32(7))
		}), ErrLimit, "1024 bytes in a path"},
		"write through a link":       {zipOf(t, ze{name: "l", body: ".", mode: 0o120777}, ze{name: "l/f", body: "x"}), ErrUnsafe, "found a symbolic link under"},
		"one name twice":             {zipOf(t, file, file), ErrUnsafe, "it is a file already"},
		"device":                     {with(func(e *ze) { e.mode = 0o020644 }), ErrUnsafe, "found mode 20644"},
		"fifo":                       {with(func(e *ze) { e.mode = 0o010644 }), ErrUnsafe, "found mode 10644"},
		"socket":                     {with(func(e *ze) { e.mode = 0o140644 }), ErrUnsafe, "found mode 140644"},
		"folder's mode, file's name": {with(func(e *ze) { e.mode = 0o040755 }), ErrUnsafe, "found mode 40755"},
		"file's mode, folder's name": {with(func(e *ze) { e.name, e.mode = "d/", 0o100644 }), ErrUnsafe, "found mode 100644"},
		"folder with content":        {with(func(e *ze) { e.name = "d/" }), ErrMalformed, "expected a folder without content, found 1"},
		"folder with hidden content": {with(func(e *ze) { e.name, e.body, e.deflate, e.tail = "d/", "", true, []byte("hidden") }), ErrMalformed, "found the end before"},
		"encrypted":                  {with(func(e *ze) { e.flags = zipEncrypted }), ErrUnsupported, "expected no encryption"},
		"strongly encrypted":         {with(func(e *ze) { e.flags = zipStrong }), ErrUnsupported, "expected no encryption"},
		"masked headers":             {with(func(e *ze) { e.flags = zipMasked }), ErrUnsupported, "expected no encryption"},
		"patch":                      {with(func(e *ze) { e.flags = zipPatch }), ErrUnsupported, "expected it stored or deflated"},
		"other method":               {central(10, u16(14)), ErrUnsupported, "found method 14"},
		"entry of another part":      {central(34, u16(1)), ErrUnsupported, "an entry in part 1"},
		"other name locally":         {local(30, []byte("g")), ErrMalformed, `found "g"`},
		"other size locally":         {local(22, u32(2)), ErrMalformed, "found 2 from 1"},
		"other packed size locally":  {local(18, u32(2)), ErrMalformed, "found 1 from 2"},
		"other CRC locally":          {local(14, u32(7)), ErrMalformed, "CRC 00000007"},
		"no size locally":            {local(22, u32(0)), ErrMalformed, "found 0 from 1"},
		"other method locally":       {local(8, u16(8)), ErrMalformed, "found 8, 0x0"},
		"encrypted locally":          {local(6, u16(1)), ErrMalformed, "found 0, 0x1"},
		"no local header":            {local(0, []byte("PK\x03\x03")), ErrMalformed, "expected zip, found"},
		"no second local header":     {zipOf(t, file, ze{name: "g", local: localAt(0, []byte("xx"))}), ErrMalformed, "expected a local header at 32, found 7878"},
		"other sizes with descriptor": {with(func(e *ze) {
			e.flags, e.descriptor, e.local = zipDescriptor, join(crc, u32(1), u32(1)), localAt(22, u32(2))
		}), ErrMalformed, "found 2 from 0"},
		"other CRC behind":  {described([]byte(zipDescSig), u32(7), u32(1), u32(1)), ErrMalformed, "behind its content"},
		"other size behind": {described([]byte(zipDescSig), crc, u32(1), u32(2)), ErrMalformed, "behind its content"},
		"nothing behind":    {described(), ErrMalformed, "behind its content, found"},
		"half of it behind": {described(crc, u32(1)), ErrMalformed, "behind its content"},
		"wrong CRC":         {with(func(e *ze) { e.central, e.local = at(16, u32(7)), localAt(14, u32(7)) }), ErrMalformed, "with CRC 00000007, found 1 with 8cdc1683"},
		"longer than said": {with(func(e *ze) {
			e.deflate, e.body, e.central, e.local = true, "longer", at(24, u32(1)), localAt(22, u32(1))
		}), ErrMalformed, "expected 1 bytes, found more"},
		"shorter than said": {with(func(e *ze) {
			e.deflate, e.central, e.local = true, at(24, u32(9)), localAt(22, u32(9))
		}), ErrMalformed, "expected 9 bytes with CRC 8cdc1683, found 1"},
		"stored sizes differ":       {central(24, u32(9)), ErrMalformed, "expected 9 stored bytes, found 1"},
		"hidden behind the content": {with(func(e *ze) { e.deflate, e.tail = true, []byte("hidden") }), ErrMalformed, "found the end before"},
		"not deflated":              {with(func(e *ze) { e.body, e.central, e.local = "\xff", at(10, u16(8)), localAt(8, u16(8)) }), ErrMalformed, "expected whole zip"},
		"file of 2^63":              {extra(all, 1, absurd), ErrMalformed, "expected 9223372036854775808 stored bytes, found 1"},
		"deflated file of 2^63": {with(func(e *ze) {
			e.deflate, e.extra, e.central = true, absurd, at(24, u32(-1))
			e.local = func(h []byte) []byte { return append(localAt(22, u32(-1), u16(1), u16(12))(h), absurd...) }
		}), ErrLimit, "found 9223372036854775808 or more"},
		"folder of 2^63": {with(func(e *ze) {
			e.name, e.body, e.deflate, e.extra, e.central = "d/", "", true, absurd, at(24, u32(-1))
			e.local = func(h []byte) []byte { return append(localAt(22, u32(-1), u16(2), u16(12))(h), absurd...) }
		}), ErrMalformed, "expected a folder without content, found 9223372036854775808"},
		"packed to 2^63":        {extra(1, all, absurd), ErrMalformed, "expected 1 stored bytes, found 9223372036854775808"},
		"deflated to 2^63":      {with(func(e *ze) { e.deflate, e.extra, e.central = true, absurd, at(20, u32(-1)) }), ErrMalformed, "expected 9223372036854775808 bytes that are no other entry's"},
		"at 2^63":               {with(func(e *ze) { e.extra, e.central = absurd, at(42, u32(-1)) }), ErrMalformed, "found it at 9223372036854775808"},
		"zip64 field too short": {extra(all, all, absurd), ErrMalformed, "expected 8 bytes more of a zip64 field, found 0"},
		"zip64 field twice":     {extra(1, 1, absurd, absurd), ErrMalformed, "expected one zip64 field, found two"},
		"extra field too long":  {extra(1, 1, u16(7), u16(9), u32(0)), ErrMalformed, "expected an extra field of 9 bytes, found 4"},
		"second name":           {extra(1, 1, u16(zipExtraName), u16(6), []byte{1, 0xe0, 0x2b, 0xd3, 0x76}, []byte("g")), ErrUnsafe, `expected one name, found "g" as well`},
		"second name locally": {with(func(e *ze) {
			e.local = func(h []byte) []byte {
				return join(localAt(28, u16(10))(h), u16(zipExtraName), u16(6), []byte{1, 0xe0, 0x2b, 0xd3, 0x76}, []byte("g"))
			}
		}), ErrUnsafe, `expected one name, found "g" as well`},
		"zip64 field twice locally": {with(func(e *ze) {
			e.local = func(h []byte) []byte { return join(localAt(28, u16(24))(h), absurd, absurd) }
		}), ErrMalformed, "expected one zip64 field, found two"},
		"local header beyond the end":  {local(26, u16(60000)), ErrMalformed, "expected 60000 bytes at 30"},
		"local header in the next":     {zipOf(t, ze{name: "f", local: localAt(28, u16(40))}, file), ErrMalformed, "found room for -40"},
		"overlapping entries":          {inner.end(), ErrMalformed, "expected 32 bytes that are no other entry's"},
		"one content for two":          {twice.end(), ErrMalformed, "found two at 0"},
		"bytes before the first":       {zipOf(t, ze{name: "f", body: "x", central: at(42, u32(1))}), ErrMalformed, "expected the first entry at 0, found it at 1"},
		"bytes before the zip":         {join([]byte("#!/bin/sh\n"), zipOf(t, file)), ErrMalformed, "expected zip, found"},
		"a zip before the zip":         {join(zipOf(t, file), zipOf(t, file)), ErrMalformed, "expected a directory of 47 bytes at 32, up to its end record at 180"},
		"bytes behind the zip":         {join(zipOf(t, file), []byte("x")), ErrMalformed, "expected the end behind a comment of 0 bytes, found it after 1"},
		"comment cut off":              {end(20, u16(9)), ErrMalformed, "expected the end behind a comment of 9 bytes, found it after 0"},
		"no end record":                {parts.data, ErrMalformed, "expected an end record, found none"},
		"half an end record":           {join(parts.data, []byte(zipEndSig)), ErrMalformed, "expected an end record, found none"},
		"part of several":              {end(4, u16(1)), ErrUnsupported, "found part 1"},
		"part of the entries":          {end(8, u16(0)), ErrUnsupported, "0 of 1 entries"},
		"more entries than there are":  {end(8, u16(2), u16(2)), ErrMalformed, "expected 2 entries in a directory, found 47 bytes"},
		"fewer entries than there are": {end(8, u16(0), u16(0)), ErrMalformed, "expected 0 entries in the directory, found more"},
		"bytes before an empty zip":    {zipped{data: parts.data[:parts.offset], offset: parts.offset}.end(), ErrMalformed, "expected the first entry at 0, found it at 32"},
		"fewer entries, but some": {func() []byte {
			z := zipParts(t, file, ze{name: "g"})
			z.entries = 1
			return z.end()
		}(), ErrMalformed, "expected 1 entries in the directory, found more"},
		"directory elsewhere":        {end(16, u32(31)), ErrMalformed, "expected a directory of 47 bytes at 31"},
		"directory too long":         {end(12, u32(999)), ErrMalformed, "expected a directory of 999 bytes"},
		"directory shorter":          {end(12, u32(46), u32(33)), ErrMalformed, "expected an entry of the directory, found 4b0102"},
		"no entry in the directory":  {central(0, []byte("xx")), ErrMalformed, "expected an entry of the directory, found 78780102"},
		"entry beyond the directory": {central(28, u16(999)), ErrMalformed, "unexpected EOF"},
		"entry in the directory":     {central(42, u32(32)), ErrMalformed, "expected it before the directory at 32, found it at 32"},
		"zip64 of several parts":     {end64(zipEnd64Bytes+16, u32(2)), ErrUnsupported, "in part 0 of 2"},
		"zip64 of another part":      {end64(zipEnd64Bytes+4, u32(1)), ErrUnsupported, "in part 1 of 1"},
		"zip64 record elsewhere":     {end64(zipEnd64Bytes+8, u64(78)), ErrMalformed, "expected a zip64 end record at 78"},
		"zip64 record beyond":        {end64(zipEnd64Bytes+8, u64(1<<63)), ErrMalformed, "said to be at 9223372036854775808"},
		"zip64 record at the end":    {end64(zipEnd64Bytes+8, u64(155)), ErrMalformed, "expected 56 bytes at 155"},
		"zip64 record too long":      {end64(4, u64(45)), ErrMalformed, "with 45 bytes"},
		"no zip64 record":            {end64(0, []byte("xx")), ErrMalformed, "expected a zip64 end record"},
		"zip64 part of the entries":  {end64(24, u64(0)), ErrUnsupported, "found 0 of 1 entries"},
		"zip64 with 2^63 entries":    {end64(24, u64(1<<63), u64(1<<63)), ErrLimit, "found 9223372036854775808 or more"},
		"zip64 directory of 2^63":    {end64(40, u64(1<<63)), ErrMalformed, "expected a directory of 9223372036854775808 bytes"},
		"zip64 directory before all": {end64(40, u64(80), u64(math.MaxUint64)), ErrMalformed, "at 18446744073709551615"},
		"zip64 directory at 2^64-1":  {end64(48, u64(math.MaxUint64)), ErrMalformed, "at 18446744073709551615"},
		"end records disagree": {func() []byte {
			archive := zipParts(t, file).end64()
			copy(archive[len(archive)-12:], u16(2))
			return archive
		}(), ErrUnsupported, "65535 of 2 entries"},
		"end records disagree on the directory": {func() []byte {
			archive := zipParts(t, file).end64()
			copy(archive[len(archive)-10:], u32(46))
			return archive
		}(), ErrMalformed, "expected both end records to agree"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := trial{format: Zip, rules: everySystem}.run(t, test.archive)
			wantError(t, err, test.want, test.says)
		})
	}
	if _, _, err := (trial{format: Zip}).run(t, overlapping.end()); err != nil {
		t.Errorf("expected the zip in a zip that the attack is made of to be fine alone, found %v", err)
	}
}
