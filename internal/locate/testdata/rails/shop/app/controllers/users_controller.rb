class UsersController < ActionController::Base
  def activity; end
  def create; end
  def destroy; end
  def draft; end
  def edit; end
  def history; end
  def index; end
  def new; end
  def search; end
  def show; end
  def unlock; end
  def update; end
end
