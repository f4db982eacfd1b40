class ItemsController < ActionController::Base
  def show; end
  def update; end
end
