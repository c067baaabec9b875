// queries prints what PromQL expressions ask for, as Prometheus itself reads them.
//
// It reads a JSON array of expressions from standard input and prints a JSON array with one element for each: the selectors
// in it, each with its metric and its label matchers, and the labels by which it groups what the selectors find.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

type query struct {
	Selectors []selector `json:"selectors"`
	GroupedBy []string   `json:"groupedBy"`
}

type selector struct {
	Metric string `json:"metric"`
	// The labels of its matchers, and the value where that has to be equal.
	Labels map[string]*string `json:"labels"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "queries:", err)
		os.Exit(1)
	}
}

func run(input io.Reader, output io.Writer) error {
	var expressions []string
	if err := json.NewDecoder(input).Decode(&expressions); err != nil {
		return fmt.Errorf("standard input holds no array of expressions: %w", err)
	}
	queries := []query{}
	for _, text := range expressions {
		expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		queries = append(queries, read(expression))
	}
	return json.NewEncoder(output).Encode(queries)
}

func read(expression parser.Expr) query {
	found := query{Selectors: []selector{}, GroupedBy: []string{}}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.AggregateExpr:
			found.GroupedBy = append(found.GroupedBy, node.Grouping...)
		case *parser.VectorSelector:
			found.Selectors = append(found.Selectors, describe(node))
		}
		return nil
	})
	return found
}

func describe(node *parser.VectorSelector) selector {
	described := selector{Metric: node.Name, Labels: map[string]*string{}}
	for _, matcher := range node.LabelMatchers {
		if matcher.Name == labels.MetricName {
			continue
		}
		described.Labels[matcher.Name] = nil
		if matcher.Type == labels.MatchEqual {
			described.Labels[matcher.Name] = &matcher.Value
		}
	}
	return described
}
