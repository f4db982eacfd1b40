// One grammar as a WebAssembly module: text in, the syntax tree out as a flat
// list of nodes in preorder, so that the host crosses the border twice a file.

#include <stdlib.h>
#include <tree_sitter/api.h>

#define EXPORT(name) __attribute__((export_name(#name)))

const TSLanguage *LANGUAGE(void);

enum { TOO_MANY = -1, NO_LANGUAGE = -2, TOO_SLOW = -3 };
enum { MISSING = 0x8000, NOT_KEPT = UINT32_MAX };

// next is the index after the node's last descendant.
typedef struct {
  uint16_t kind, field;
  uint32_t start, end, next;
} Node;

static char *text;
static uint32_t patience;
static Node *nodes;
static uint32_t count, room;

static void *grown(void *old, size_t size) {
  void *made = realloc(old, size);
  if (!made) abort();
  return made;
}

EXPORT(input) char *input(uint32_t size) {
  return text = grown(text, size + 1);
}

static bool impatient(TSParseState *state) {
  (void)state;
  return patience-- == 0;
}

static const char *rest(void *payload, uint32_t at, TSPoint point, uint32_t *size) {
  (void)point;
  uint32_t whole = *(uint32_t *)payload, from = at < whole ? at : whole;
  *size = whole - from;
  return text + from;
}

// Punctuation is left out, unless a field names it, as it does operators.
static uint32_t keep(TSTreeCursor *cursor) {
  TSNode node = ts_tree_cursor_current_node(cursor);
  TSFieldId field = ts_tree_cursor_current_field_id(cursor);
  bool missing = ts_node_is_missing(node);
  if (!ts_node_is_named(node) && !field && !missing) return NOT_KEPT;
  if (count == room) {
    room = room ? room * 2 : 4096;
    nodes = grown(nodes, room * sizeof *nodes);
  }
  nodes[count] = (Node){ts_node_symbol(node), field | (missing ? MISSING : 0), ts_node_start_byte(node), ts_node_end_byte(node), 0};
  return count++;
}

static int32_t flatten(TSNode root, uint32_t most) {
  TSTreeCursor cursor = ts_tree_cursor_new(root);
  static uint32_t *open, deepest;
  uint32_t depth = 0;
  int32_t result = TOO_MANY;
  count = 0;
  while (count < most) {
    if (depth == deepest) {
      deepest = deepest ? deepest * 2 : 256;
      open = grown(open, deepest * sizeof *open);
    }
    open[depth] = keep(&cursor);
    if (ts_tree_cursor_goto_first_child(&cursor)) {
      depth++;
      continue;
    }
    for (;;) {
      if (open[depth] != NOT_KEPT) nodes[open[depth]].next = count;
      if (ts_tree_cursor_goto_next_sibling(&cursor)) break;
      if (!ts_tree_cursor_goto_parent(&cursor)) {
        result = (int32_t)count;
        goto done;
      }
      depth--;
    }
  }
done:
  ts_tree_cursor_delete(&cursor);
  return result;
}

// parse gives the number of nodes, or what went wrong as a negative number.
EXPORT(parse) int32_t parse(uint32_t size, uint32_t allowed, uint32_t most) {
  static TSParser *parser;
  if (!parser) {
    parser = ts_parser_new();
    if (!ts_parser_set_language(parser, LANGUAGE())) return NO_LANGUAGE;
  }
  patience = allowed;
  TSTree *tree = ts_parser_parse_with_options(parser, NULL,
      (TSInput){.payload = &size, .read = rest, .encoding = TSInputEncodingUTF8},
      (TSParseOptions){.progress_callback = impatient});
  if (!tree) {
    ts_parser_reset(parser);
    return TOO_SLOW;
  }
  int32_t result = flatten(ts_tree_root_node(tree), most);
  ts_tree_delete(tree);
  return result;
}

EXPORT(output) Node *output(void) { return nodes; }
EXPORT(kinds) uint32_t kinds(void) { return ts_language_symbol_count(LANGUAGE()); }
EXPORT(kind) const char *kind(uint32_t i) { return ts_language_symbol_name(LANGUAGE(), (TSSymbol)i); }
EXPORT(fields) uint32_t fields(void) { return ts_language_field_count(LANGUAGE()); }
EXPORT(field) const char *field(uint32_t i) { return ts_language_field_name_for_id(LANGUAGE(), (TSFieldId)i); }
