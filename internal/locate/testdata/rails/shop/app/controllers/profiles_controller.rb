class ProfilesController < ActionController::Base
  def avatar; end
  def create; end
  def edit; end
  def new; end
  def preview; end
  def publish; end
  def show; end
  def update; end
end
