class Users::PasswordsController < ActionController::Base
  def create; end
  def edit; end
  def new; end
  def update; end
end
