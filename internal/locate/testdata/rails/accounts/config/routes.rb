Rails.application.routes.draw do
  devise_for :users, controllers: { sessions: "users/sessions", passwords: "users/passwords" }, path_names: { sign_in: "login" }
  devise_for :admins, path: "staff", skip: [:registrations], class_name: "User"
  devise_scope :user do
    get "signin", to: "users/sessions#new"
    get "signout", to: "devise/sessions#destroy"
  end
  namespace :back do
    devise_for :members, class_name: "User", controllers: { registrations: "back/registrations" }
  end
  authenticated :user do
    get "inner", to: "home#inner"
  end
  resources :users
  resources :admins, only: [:index, :show]
  get "*path", to: "errors#missing"
end
