class SessionsController < ActionController::Base
  def create; end
  def destroy; end
  def new; end
  def show; end
end
