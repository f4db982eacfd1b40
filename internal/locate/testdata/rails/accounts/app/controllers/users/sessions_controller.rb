class Users::SessionsController < ActionController::Base
  def create; end
  def destroy; end
  def new; end
end
