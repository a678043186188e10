// Command protos writes Go code for .proto files, as protoc would with the plugins for Go: the compiler is a library, so
// that nothing but Go is needed.
//
//	protos -root DIR -out DIR -package IMPORT -plugin PATH [-plugin PATH...] FILE...
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	var plugins []string
	root := flag.String("root", "", "the folder that FILEs are named from")
	out := flag.String("out", "", "the folder to write to")
	target := flag.String("package", "", "the import path of what is written")
	flag.Func("plugin", "a generator", func(plugin string) error {
		plugins = append(plugins, plugin)
		return nil
	})
	flag.Parse()
	if err := run(*root, *out, *target, plugins, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "protos:", err)
		os.Exit(1)
	}
}

func run(root, out, target string, plugins, files []string) error {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), files...)
	if err != nil {
		return err
	}
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: files, Parameter: proto.String(parameter(target, files)), ProtoFile: withImports(compiled),
	}
	for _, plugin := range plugins {
		if err := generate(plugin, request, out); err != nil {
			return fmt.Errorf("%s: %w", path.Base(plugin), err)
		}
	}
	return nil
}

// parameter tells the generators into which package all of the files go.
func parameter(target string, files []string) string {
	text := "paths=import,module=" + target
	for _, file := range files {
		text += ",M" + file + "=" + target
	}
	return text
}

// withImports gives the files and what they import, each behind what it needs.
func withImports(files linker.Files) []*descriptorpb.FileDescriptorProto {
	var ordered []*descriptorpb.FileDescriptorProto
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
		ordered = append(ordered, protoutil.ProtoFromFileDescriptor(file))
	}
	for _, file := range files {
		add(file)
	}
	return ordered
}

func generate(plugin string, request *pluginpb.CodeGeneratorRequest, out string) error {
	asked, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	command := exec.Command(plugin)
	command.Stdin, command.Stderr = bytes.NewReader(asked), os.Stderr
	answered, err := command.Output()
	if err != nil {
		return err
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(answered, &response); err != nil {
		return err
	}
	if response.Error != nil {
		return errors.New(response.GetError())
	}
	for _, file := range response.File {
		if err := os.WriteFile(filepath.Join(out, file.GetName()), []byte(file.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
