package locate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// A workspace of 2,000 files, half of them routers of some 100 lines.
func BenchmarkRead(b *testing.B) {
	folder := b.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	main := strings.Builder{}
	main.WriteString("from fastapi import FastAPI\napp = FastAPI()\n")
	for i := range 1000 {
		var router, model strings.Builder
		router.WriteString("from fastapi import APIRouter, Depends\nrouter = APIRouter(prefix='/r')\n")
		for j := range 20 {
			fmt.Fprintf(&router, "\n@router.post('/item%d/{id}')\nasync def handler_%d(id: int, body: dict, db=Depends(lambda: 1)):\n    row = await db.fetchrow('SELECT * FROM t WHERE id = $1', id)\n    return {'id': id, 'row': [row, body]}\n", j, j)
			fmt.Fprintf(&model, "\nclass Model%d:\n    name: str = 'a'\n    def save(self, db):\n        db.execute('UPDATE t SET name = $1', self.name)\n        return self\n", j)
		}
		write(fmt.Sprintf("router%d.py", i), router.String())
		write(fmt.Sprintf("model%d.py", i), model.String())
		fmt.Fprintf(&main, "import router%d\napp.include_router(router%d.router, prefix='/p%d')\n", i, i, i)
	}
	write("main.py", main.String()+strings.SplitAfterN(login, "\n", 3)[2])
	b.ReportAllocs()
	for b.Loop() {
		source, err := locate.Read(b.Context(), folder, locate.Start{}, locate.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		place, reason := source.Handler("POST", "/p999/r/item7/3", "")
		if place.File != "router999.py" {
			b.Fatal(place, reason)
		}
	}
}
