// Package syntax parses source files with tree-sitter's own grammars. They are
// compiled to WebAssembly and run by wazero: the binary stays static, and a file
// made to break a parser breaks a sandbox with bounded memory.
package syntax

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Language is a grammar that is built in.
type Language string

// The languages.
const (
	Python     Language = "python"
	JavaScript Language = "javascript" // JSX included
	TypeScript Language = "typescript"
	Java       Language = "java"
	Ruby       Language = "ruby"
)

//go:embed grammars/*.wasm.gz
var grammars embed.FS

// Longest is the size of the largest source that is parsed, in bytes.
const Longest = 1 << 20

const (
	mostNodes  = 1 << 20
	mostMemory = 4096     // pages of 64 KiB for one parser
	patience   = 10_000   // in hundreds of parser steps
	perByte    = 2        // bytes that buy another hundred
	largest    = 16 << 20 // of a grammar
)

// ErrRefused is what a source is answered that is too long or too costly to parse.
var ErrRefused = errors.New("the source is too long or too tangled to be parsed")

// Parsers parse side by side. New makes them; the zero value is not valid.
type Parsers struct {
	runtime wazero.Runtime

	mu        sync.Mutex
	languages map[Language]*language
}

// compiled keeps each grammar's machine code, a few MiB of it, for as long as
// the process lives: a server of assistants reads one workspace after the other.
var compiled = wazero.NewCompilationCache()

// New gives parsers that are to be closed.
func New(ctx context.Context) (*Parsers, error) {
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(mostMemory).WithCompilationCache(compiled))
	// What the C library asks for and never uses; no file and no variable is given.
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, errors.Join(err, runtime.Close(ctx))
	}
	return &Parsers{runtime: runtime, languages: map[Language]*language{}}, nil
}

// Close frees the parsers. Trees stay valid.
func (p *Parsers) Close() error { return p.runtime.Close(context.Background()) }

// language is a compiled grammar and the instances of it that are idle.
type language struct {
	compiled wazero.CompiledModule
	kinds    []string
	fields   []string

	mu   sync.Mutex
	idle []*instance
}

// instance is one parser with a memory of its own.
type instance struct {
	module               api.Module
	input, parse, output api.Function
}

// Parse gives the tree of a source. A source with mistakes has one too, with
// nodes of kind ERROR where they are.
func (p *Parsers) Parse(ctx context.Context, name Language, source []byte) (*Tree, error) {
	if len(source) > Longest {
		return nil, ErrRefused
	}
	known, err := p.language(ctx, name)
	if err != nil {
		return nil, err
	}
	one, err := known.take(ctx, p.runtime)
	if err != nil {
		return nil, err
	}
	nodes, err := one.read(ctx, source)
	if err != nil {
		return nil, errors.Join(err, one.module.Close(ctx)) // its memory may be in any state
	}
	known.give(one)
	return newTree(source, nodes, known), nil
}

func (p *Parsers) language(ctx context.Context, name Language) (*language, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.languages[name]; known != nil {
		return known, nil
	}
	packed, err := grammars.ReadFile("grammars/" + string(name) + ".wasm.gz")
	if err != nil {
		return nil, fmt.Errorf("there is no grammar for %s", name)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(io.LimitReader(reader, largest))
	if err != nil {
		return nil, err
	}
	module, err := p.runtime.CompileModule(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("the grammar of %s does not compile: %w", name, err)
	}
	made := &language{compiled: module}
	if err := made.learn(ctx, p.runtime); err != nil {
		return nil, err
	}
	p.languages[name] = made
	return made, nil
}

// learn reads the names of the grammar's kinds and fields.
func (l *language) learn(ctx context.Context, runtime wazero.Runtime) error {
	one, err := l.take(ctx, runtime)
	if err != nil {
		return err
	}
	if l.kinds, err = one.names(ctx, "kinds", "kind", 0); err != nil {
		return err
	}
	if l.fields, err = one.names(ctx, "fields", "field", 1); err != nil { // field 0 is none
		return err
	}
	l.give(one)
	return nil
}

func (l *language) take(ctx context.Context, runtime wazero.Runtime) (*instance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := len(l.idle) - 1; last >= 0 {
		one := l.idle[last]
		l.idle = l.idle[:last]
		return one, nil
	}
	module, err := runtime.InstantiateModule(ctx, l.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, err
	}
	return &instance{module, module.ExportedFunction("input"), module.ExportedFunction("parse"), module.ExportedFunction("output")}, nil
}

func (l *language) give(one *instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idle = append(l.idle, one)
}

func (i *instance) names(ctx context.Context, count, name string, first uint64) ([]string, error) {
	result, err := i.module.ExportedFunction(count).Call(ctx)
	if err != nil {
		return nil, err
	}
	last := result[0] + first
	made := make([]string, first, last)
	for at := first; at < last; at++ {
		result, err := i.module.ExportedFunction(name).Call(ctx, at)
		if err != nil {
			return nil, err
		}
		made = append(made, i.text(uint32(result[0])))
	}
	return made, nil
}

// longestName bounds the name of a kind.
const longestName = 256

func (i *instance) text(at uint32) string {
	memory := i.module.Memory()
	seen, _ := memory.Read(at, min(longestName, memory.Size()-min(at, memory.Size())))
	name, _, _ := bytes.Cut(seen, []byte{0})
	return string(name)
}

// read parses one source; the result is a copy.
func (i *instance) read(ctx context.Context, source []byte) ([]node, error) {
	size := uint64(len(source))
	result, err := i.input.Call(ctx, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if !i.module.Memory().Write(uint32(result[0]), source) {
		return nil, ErrRefused
	}
	result, err = i.parse.Call(ctx, size, patience+size/perByte, mostNodes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	count := int32(uint32(result[0]))
	if count < 0 {
		return nil, ErrRefused
	}
	result, err = i.output.Call(ctx)
	if err != nil {
		return nil, err
	}
	packed, ok := i.module.Memory().Read(uint32(result[0]), uint32(count)*nodeSize)
	if !ok {
		return nil, ErrRefused
	}
	return unpack(packed, len(source))
}

// nodeSize is that of Node in flat.c.
const nodeSize = 16

func unpack(packed []byte, size int) ([]node, error) {
	nodes := make([]node, len(packed)/nodeSize)
	for i := range nodes {
		raw := packed[i*nodeSize:]
		one := node{
			kind: binary.LittleEndian.Uint16(raw), field: binary.LittleEndian.Uint16(raw[2:]),
			start: int32(binary.LittleEndian.Uint32(raw[4:])), end: int32(binary.LittleEndian.Uint32(raw[8:])),
			next: int32(binary.LittleEndian.Uint32(raw[12:])),
		}
		if one.start < 0 || one.end < one.start || int(one.end) > size || int(one.next) <= i || int(one.next) > len(nodes) {
			return nil, ErrRefused
		}
		nodes[i] = one
	}
	return nodes, nil
}
