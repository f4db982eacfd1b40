package discover

import (
	"slices"
	"testing"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestNamesOfSessionIDs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"sid": true, "session": true, "session_id": true, "sessionId": true, "sessionToken": true, "X-Session-Id": true, "X-Basket-Session": true,
		"shopSessionId": true, "JSESSIONID": true, "PHPSESSID": true, "basket_sid": true, "user-session-key": true,
		"": false, "id": false, "token": false, "side": false, "inside": false, "session_length": false, "sessions": false, "keep_session": false,
		"rememberSession": false, "csrf_session": false, "possession": false, "X-Request-Id": false,
	} {
		if namesSession(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

const channelled = `openapi: 3.0.0
paths:
  /stats/{sid}:
    parameters: [{in: path, name: sid, required: true, schema: {type: string}}]
    get: {operationId: stats, parameters: [{in: query, name: shop_session_id, schema: {type: string}}, {in: query, name: limit, schema: {type: integer}}]}
  /s/{sid}/basket:
    get: {operationId: basket, parameters: [{in: path, name: sid, required: true, schema: {type: string}}]}
  /me:
    get: {operationId: me, parameters: [{in: cookie, name: shop, schema: {type: string}}, {in: query, name: shop, schema: {type: string}}, {in: cookie, name: old_sid, schema: {type: string}}]}
  /login:
    post:
      operationId: signIn
      parameters: [{in: header, name: X-Basket-Session, schema: {type: string}}, {in: header, name: "X-Evil: session", schema: {type: string}}, {in: query, name: session, schema: {type: boolean}}]
      requestBody: {content: {application/json: {schema: {required: [username, password], properties: {username: {type: string}, password: {type: string},
        client: {type: object, properties: {session_id: {type: string}}}, keep_me: {type: boolean}, user_session: {type: boolean}}}}}}
`

func TestChannelsOfADescription(t *testing.T) {
	t.Parallel()
	made, err := describe("openapi.yaml", []byte(channelled))
	if err != nil {
		t.Fatal(err)
	}
	s := &search{Options: Options{Recipe: recipe.New()}, operations: made.operations}
	s.answer.SetCookie = []trace.SetCookie{{Cookie: cookie.Cookie{Name: "shop", Value: secret.New("0123456789abcdef")}}}
	s.channels()
	want := []Channel{
		{"header", "X-Basket-Session", "X-Basket-Session"}, {"json", "client.session_id", "client.session_id"},
		{"path", "sid", ""}, {"query", "shop_session_id", "shop_session_id"},
		{"query", "shop", "shop"}, {"cookie", "old_sid", ""},
	}
	if !slices.Equal(s.result.Channels, want) {
		t.Errorf("%v", s.result.Channels)
	}
	if said := s.result.Found[0].String(); said != "id channel: header X-Basket-Session, from openapi.yaml operationId signIn (an id is planted there before other names are guessed)" {
		t.Errorf("%q", said)
	}
	if before := pathBefore("/s/{sid}/basket", "sid"); before != "/s/" {
		t.Errorf("%q stands before the id", before)
	}
}

func TestChannelsAreBounded(t *testing.T) {
	t.Parallel()
	s := &search{Options: Options{Recipe: recipe.New()}}
	op := operation{method: "POST", path: "/x", at: 1}
	for i := range 30 {
		op.places = append(op.places, spot{"query", string(rune('a'+i%26)) + string(rune('a'+i/26)) + "_session"})
	}
	s.operations = []operation{op, op}
	s.channels()
	if len(s.result.Channels) != mostChannels || len(s.result.Found) != mostChannels {
		t.Errorf("%v", s.result.Channels)
	}
}
