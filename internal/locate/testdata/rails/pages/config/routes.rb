Rails.application.routes.draw do
  get "/:page", to: "pages#show", page: /about|imprint/
  get "/:year/:month", to: "archive#month", constraints: { year: /\d{4}/, month: /\d{2}/ }
  resources :posts, only: [:index, :show] do
    get "page/:number", action: :index, on: :collection
    get "preview(/:token)", action: :preview, on: :member
  end
  get "tags(/:tag(/:page))", to: "tags#show"
  get "docs/*section/edit", to: "docs#edit"
  get "docs/*section", to: "docs#show"
  get "download/:file.pdf", to: "downloads#pdf"
  get "download/:file", to: "downloads#show", file: /[^\/]+/
  get "posts/new", to: "posts#late"
  scope ":account" do
    get "settings", to: "settings#show"
    resources :members, only: :index
  end
  root to: "pages#home"
  get ":slug", to: "pages#slug"
end
