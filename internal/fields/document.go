package fields

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Documents splits a stream, without empty documents.
func Documents(text string) ([]*yaml.Node, error) {
	var nodes []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nil, Problems{{Text: "the text is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}}
		}
		if len(node.Content) == 1 && node.Content[0].ShortTag() != nullTag {
			nodes = append(nodes, node.Content[0])
		}
	}
}
