// Validate the JSON on stdin and print it with sorted keys, two spaces deep.
//
// Numbers keep the digits they came with, and a key given twice is an error: sorting would silently drop one of them.
// A problem is reported with its line and column (in bytes, from 1) and exits 1.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = format(input, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "json:", err)
		os.Exit(1)
	}
}

// problem is what is wrong with the input, and the byte it shows at.
type problem struct {
	offset int64
	why    string
}

func (p problem) Error() string { return p.why }

func format(input []byte, out io.Writer) error {
	value, err := parse(input)
	var p problem
	if errors.As(err, &p) {
		line, column := position(input, p.offset)
		return fmt.Errorf("line %d, column %d: %s", line, column, p.why)
	}
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	// Maps are encoded in the order of their keys.
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return buffered.Flush()
}

func parse(input []byte) (any, error) {
	if at := invalidUTF8(input); at >= 0 {
		return nil, problem{at, "invalid UTF-8"}
	}
	// Unmarshal checks the syntax of everything before anything is built, and knows where it breaks.
	var raw json.RawMessage
	if err := json.Unmarshal(input, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, problem{syntax.Offset - 1, syntax.Error()}
		}
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber()
	return element(decoder)
}

// element reads one value; the syntax is known to be sound.
func element(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return object(decoder)
	case json.Delim('['):
		return array(decoder)
	}
	return token, nil
}

func object(decoder *json.Decoder) (any, error) {
	members := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string)
		if _, twice := members[key]; twice {
			return nil, problem{decoder.InputOffset() - 1, fmt.Sprintf("key %q given twice", key)}
		}
		if members[key], err = element(decoder); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token() // the closing brace
	return members, err
}

func array(decoder *json.Decoder) (any, error) {
	items := []any{}
	for decoder.More() {
		item, err := element(decoder)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := decoder.Token() // the closing bracket
	return items, err
}

func invalidUTF8(input []byte) int64 {
	for at := 0; at < len(input); {
		r, size := utf8.DecodeRune(input[at:])
		if r == utf8.RuneError && size <= 1 {
			return int64(at)
		}
		at += size
	}
	return -1
}

// position turns a byte offset into a line and a column, both from 1.
func position(input []byte, offset int64) (line, column int) {
	if offset < 0 {
		offset = 0
	}
	if offset > int64(len(input)) {
		offset = int64(len(input))
	}
	before := input[:offset]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}
