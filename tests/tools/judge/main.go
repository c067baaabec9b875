// judge prints what other tools take objects for: kstatus, and so Flux and `helm --wait`, and a health check of Argo CD.
//
//	judge health.lua <objects
//
// It reads JSON objects from standard input, one after another, and prints a JSON object for each.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type verdict struct {
	Kstatus        string `json:"kstatus"`
	KstatusMessage string `json:"kstatusMessage"`
	Health         string `json:"health"`
	HealthMessage  string `json:"healthMessage"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: judge health.lua <objects")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func run(script string, objects io.Reader, verdicts io.Writer) error {
	check, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	decoder, encoder := json.NewDecoder(objects), json.NewEncoder(verdicts)
	for {
		var text json.RawMessage
		if err := decoder.Decode(&text); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("standard input holds no JSON object: %w", err)
		}
		// Whole numbers stay whole, as in every client of the API server.
		var object map[string]any
		if err := utiljson.Unmarshal(text, &object); err != nil {
			return fmt.Errorf("standard input holds no JSON object: %w", err)
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: object})
		if err != nil {
			return fmt.Errorf("kstatus: %w", err)
		}
		health, message, err := health(string(check), object)
		if err != nil {
			return fmt.Errorf("%s: %w", script, err)
		}
		err = encoder.Encode(verdict{string(result.Status), result.Message, health, message})
		if err != nil {
			return err
		}
	}
}

// health runs a check as Argo CD does: with the object as the global obj, and no libraries but base, package and table.
func health(check string, object map[string]any) (string, string, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}}
	for _, library := range libraries {
		state.Push(state.NewFunction(library.open))
		state.Push(lua.LString(library.name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(check); err != nil {
		return "", "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", errors.New("the check returns no table")
	}
	return lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message")), nil
}

// value makes a Lua value of what JSON was decoded to.
func value(state *lua.LState, decoded any) lua.LValue {
	switch decoded := decoded.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, item := range decoded {
			table.RawSetString(key, value(state, item))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, item := range decoded {
			table.Append(value(state, item))
		}
		return table
	case string:
		return lua.LString(decoded)
	case int64:
		return lua.LNumber(decoded)
	case float64:
		return lua.LNumber(decoded)
	case bool:
		return lua.LBool(decoded)
	default:
		return lua.LNil
	}
}
