package locate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// BenchmarkMixedWorkspace reads 2,000 files of all languages.
func BenchmarkMixedWorkspace(b *testing.B) {
	folder := b.TempDir()
	for i := range 400 {
		for name, text := range map[string]string{
			"go/p%d/a.go": "package p\nimport \"net/http\"\nfunc f(mux *http.ServeMux) { mux.HandleFunc(\"POST /go/%[1]d\", h) }\n" +
				"func h(w http.ResponseWriter, r *http.Request) { http.SetCookie(w, &http.Cookie{Name: \"sid\"}) }\n",
			"js/a%d.js": "const r = require('express').Router();\nr.post('/js/%[1]d', (req, res) => { res.cookie('sid', 1); });\nmodule.exports = r;\n",
			"ts/a%d.ts": "import { Router } from 'express';\nexport const r: Router = Router();\nr.post('/ts/%[1]d', h);\nfunction h(req: Request, res: Response) { res.cookie('sid', 1); }\n",
			"java/A%d.java": "import org.springframework.web.bind.annotation.*;\n@RestController class A%[1]d {\n@PostMapping(\"/java/%[1]d\")\n" +
				"void h() { new Cookie(\"sid\", \"\"); }\n}\n",
			"py/a%d.py": "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/py/%[1]d')\ndef h(r): r.set_cookie('sid')\n",
		} {
			file := filepath.Join(folder, fmt.Sprintf(name, i))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				b.Fatal(err)
			}
			for range 40 { // a usual length
				text += "\n"
				if filepath.Ext(file) == ".py" {
					text += "# nothing of interest stands in this line of the source"
				} else {
					text += "// nothing of interest stands in this line of the source"
				}
			}
			if err := os.WriteFile(file, fmt.Appendf(nil, text+"\n", i), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		source, err := locate.Read(b.Context(), folder, locate.Start{}, locate.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for _, one := range []string{"go", "js", "ts", "java", "py"} {
			if place, reason := source.Handler("POST", "/"+one+"/399", ""); reason.Code != locate.Found {
				b.Fatalf("%s: %s %s", one, place, reason)
			}
		}
	}
}

// BenchmarkUnrelatedSources reads 2,000 files of which two have routes.
func BenchmarkUnrelatedSources(b *testing.B) {
	folder := b.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write("app.ts", "import express from 'express';\nconst app = express();\napp.post('/login', (req, res) => res.end());\n")
	write("A.java", "import org.springframework.x;\n@RestController class A { @PostMapping(\"/java\") void a() {} }\n")
	for i := range 1000 {
		view, entity := strings.Builder{}, strings.Builder{}
		for j := range 20 {
			fmt.Fprintf(&view, "export const total%d = (rows: Row[]): number => rows.map((row) => row.price * %d).reduce((a, b) => a + b, 0);\n", j, j)
			fmt.Fprintf(&entity, "    private long value%d;\n    long value%d() { return value%d + %d; }\n", j, j, j, i)
		}
		write(fmt.Sprintf("view%d.ts", i), view.String())
		write(fmt.Sprintf("Entity%d.java", i), fmt.Sprintf("class Entity%d {\n%s}\n", i, &entity))
	}
	b.ReportAllocs()
	for b.Loop() {
		source, err := locate.Read(b.Context(), folder, locate.Start{}, locate.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for _, path := range []string{"/login", "/java"} {
			if place, reason := source.Handler("POST", path, ""); reason.Code != locate.Found {
				b.Fatalf("%s: %s %s", path, place, reason)
			}
		}
	}
}
