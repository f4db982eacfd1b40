Rails.application.routes.draw do
  defaults format: :json do
    namespace :api, path: "" do
      namespace :v1 do
        resources :sessions, only: [:create, :destroy, :index]
        resources :devices do
          collection do
            post "bulk/:kind", to: "devices#bulk"
            delete "/", action: :clear
          end
          resource :lock, only: [:create, :destroy]
        end
        post :login, to: "sessions#create"
        resources :clips, only: :show, path: "media/clips"
      end
      scope :v2, module: :v2, only: [:index, :show] do
        resources :devices
        resources :sessions, only: :create
      end
    end
  end
  scope path: "/me", controller: "me" do
    get "", action: :show
    patch "/", action: :update
    resources :keys, only: %i[index destroy], param: :key, controller: "me/keys"
    member_of = "teams"
    get "#{member_of}/:id", action: :team
  end
  resources :people, only: [:index] do
    root to: "people#home"
    match :search, on: :collection, via: %i[get post]
  end
  match "anything", to: "wild#any", via: :all
  match "/ping" => "wild#ping", :via => :get, :anchor => false
  resource :status, :address, only: :show
  resource :wallet, controller: "money/wallet", path: "purse", only: [:show, :update] do
    post :refill
    scope "/log" do
      get "entries", to: "log#index"
    end
  end
end
