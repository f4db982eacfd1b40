class Admin::UsersController < ActionController::Base
  def destroy; end
  def index; end
end
