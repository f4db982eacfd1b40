class Admin::Auth::SessionsController < ActionController::Base
  def create; end
end
