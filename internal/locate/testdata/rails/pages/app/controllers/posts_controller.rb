class PostsController < ActionController::Base
  def index; end
  def late; end
  def preview; end
  def show; end
end
