# frozen_string_literal: true

# get "commented", to: "comments#out"
=begin
get "login", to: "block#comment"
=end
VERSIONS = %w[v1 v2].freeze

Rails.application.routes.draw do
  root "home#index"
  get "login", to: "sessions#new"
  post "login" => "sessions#create", as: :login_create
  match "logout", to: "sessions#destroy", via: [:delete, :get]
  get "about", controller: "pages", action: "about"
  get "help/contact"
  get "old", to: redirect("/login")
  get :status, :version, controller: :health
  put "profile/avatar", controller: "profiles", action: :avatar, constraints: { kind: /a|b/ }

  resource :session, only: %i[show create destroy]
  resource :profile, except: [:destroy] do
    get :preview
    post :publish, on: :collection
    resources :photos, only: :index
  end

  resources :users, param: :slug, path_names: { new: "sign-up" } do
    member do
      post "lock", to: "locks#create"
      delete :lock, action: :unlock
    end
    collection { get :search }
    get :history, on: :member
    get "activity"
    get :draft, on: :new
    resources :posts, :notes, only: [:index, :show] do
      resources :comments, except: %w[new edit]
    end
  end
  resources :things, only: []
  resources :orders, path: "bestellungen", controller: "purchases", constraints: { id: /\d+/ } do
    resources :items, only: [:show, :update]
  end

  concern :commentable do
    resources :comments, only: :create
  end
  concern(:rated) { post :rate, on: :member }
  resources :articles, concerns: [:commentable, :rated]
  resources :books, only: :show do
    concerns :commentable
  end

  namespace :admin do
    root to: "dashboard#index"
    resources :users, only: [:index, :destroy]
    get "login", to: "/sessions#new"
    resource :session, only: :create, module: "auth"
    scope module: :reports, path: "r" do
      get "daily"
      get "daily/:day", to: "daily#show", day: /\d{4}/
      resources :sums, only: :index
    end
  end

  scope "/intern", module: "staff", controller: :desk do
    get :open
    get "/closed", action: :closed
  end
  scope "(:locale)", locale: /en|de/ do
    get "welcome", to: "home#welcome"
    resources :news, only: %i[index show]
  end
  controller :carts do
    post "cart/add" => :add
    get "cart", to: "carts#show"
  end

  VERSIONS.each do |version|
    namespace version do
      resources :tokens, only: :create
    end
  end
  %w[terms privacy].each { |name| get name, to: "legal##{name}" }

  draw :support
  get "files/*path", to: "files#show"
  get "raw/:name", to: "files#raw", format: false
  get "feed", to: "feeds#show", format: true
  get "users/:id/badge/:size", to: "badges#show", size: /small|large/
  shallow do
    resources :boards, only: :index do
      resources :lists, only: [:index, :show] do
        resources :cards
      end
    end
  end
  resources :shelves, shallow: true, only: :show do
    resources :volumes, only: %i[index show destroy] do
      get :cover, on: :member
    end
  end
  get "*path", to: "errors#missing"
  get "late", to: "late#never"
end
