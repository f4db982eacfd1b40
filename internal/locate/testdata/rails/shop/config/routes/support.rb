namespace :support, path: "hilfe" do
  resources :tickets do
    namespace :internal do
      resources :memos, only: :index
    end
    scope :archive, as: :archive do
      get :older, to: "tickets#older"
    end
  end
end
