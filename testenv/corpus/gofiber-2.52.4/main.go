// Fiber's session middleware with its memory store. Login regenerates a
// session that it was given; a fresh one has a new id anyway.
package main

import (
	"log"
	"os"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/session"
)

var accounts = map[string]string{"alice": "alice-correct-horse", "bob": "bob-battery-staple"}

type credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func main() {
	store := session.New(session.Config{
		KeyLookup:      "cookie:__Host-session",
		CookiePath:     "/",
		CookieSecure:   true,
		CookieHTTPOnly: true,
		CookieSameSite: "Lax",
	})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "no-store")
		if site := c.Get("Sec-Fetch-Site", "none"); c.Method() != fiber.MethodGet && site != "none" && site != "same-origin" {
			return fiber.ErrForbidden
		}
		return c.Next()
	})
	app.Get("/", func(c *fiber.Ctx) error {
		sess, err := store.Get(c)
		if err != nil {
			return err
		}
		sess.Set("visited", true)
		return answer(c, sess)
	})
	app.Post("/login", func(c *fiber.Ctx) error {
		var given credentials
		if err := c.BodyParser(&given); err != nil {
			return fiber.ErrBadRequest
		}
		if known, found := accounts[given.Username]; !found || known != given.Password {
			return fiber.ErrUnauthorized
		}
		sess, err := store.Get(c)
		if err != nil {
			return err
		}
		if !sess.Fresh() {
			if err := sess.Regenerate(); err != nil {
				return err
			}
		}
		sess.Set("user", given.Username)
		return answer(c, sess)
	})
	app.Get("/me", func(c *fiber.Ctx) error {
		sess, err := store.Get(c)
		if err != nil {
			return err
		}
		user, signedIn := sess.Get("user").(string)
		if !signedIn {
			return fiber.ErrUnauthorized
		}
		return c.JSON(fiber.Map{"username": user})
	})
	app.Post("/logout", func(c *fiber.Ctx) error {
		sess, err := store.Get(c)
		if err != nil {
			return err
		}
		if err := sess.Destroy(); err != nil {
			return err
		}
		return c.JSON(fiber.Map{"ok": true})
	})
	log.Fatal(app.Listen("127.0.0.1:" + os.Getenv("PORT")))
}

func answer(c *fiber.Ctx, sess *session.Session) error {
	if err := sess.Save(); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"ok": true})
}
